// Public channels: pusher-js subscribes, the pusher SDK publishes.

import assert from 'node:assert/strict';

import { connected, hear, http, pusher, subscribed } from '../lib/clients.js';
import { channel, scenario } from '../lib/scenario.js';
import { app, serve } from '../lib/server.js';
import { eventually } from '../lib/wait.js';

const main = app('main');
const other = app('other');
const laravel = app('laravel', { dialect: 'reverb' });

const server = await serve([main, other, laravel]);
const sdk = http(server, main);

for (const a of [main, laravel]) {
  scenario(`an event of the SDK reaches a subscriber of the ${a.dialect ?? 'pusher'} dialect`, async (t) => {
    const room = await subscribed(pusher(t, server, a), channel());
    await http(server, a).trigger(room.name, 'greeting', { hello: 'world' });
    assert.deepEqual((await room.heard.event('greeting')).data, { hello: 'world' });
  });
}

scenario('every subscriber gets the event, once', async (t) => {
  const name = channel();
  const rooms = await Promise.all([1, 2, 3].map(() => subscribed(pusher(t, server, main), name)));
  await sdk.trigger(name, 'one', {});
  await sdk.trigger(name, 'last', {});
  for (const room of rooms) {
    await room.heard.event('last');
    assert.deepEqual(room.heard.events, ['pusher:subscription_succeeded', 'one', 'last']);
  }
});

scenario('events come in the order in which they were published', async (t) => {
  const room = await subscribed(pusher(t, server, main), channel());
  for (let i = 0; i < 50; i++) await sdk.trigger(room.name, 'n', i);
  await room.heard.count('n', 50);
  assert.deepEqual(room.heard.data('n'), Array.from({ length: 50 }, (_, i) => i));
});

scenario('a subscription made before the connection is made with it', async (t) => {
  const client = pusher(t, server, main);
  assert.equal(client.connection.state, 'connecting');
  const room = await subscribed(client, channel());
  await sdk.trigger(room.name, 'early', {});
  await room.heard.event('early');
});

scenario('who unsubscribes hears no more of the channel, and is still connected', async (t) => {
  const client = pusher(t, server, main);
  const left = await subscribed(client, channel());
  const kept = await subscribed(client, channel());
  client.unsubscribe(left.name);
  await eventually(
    async () => (await sdk.get({ path: `/channels/${left.name}` })).json(),
    (c) => !c.occupied,
    'the channel to be vacated',
  );
  const id = client.connection.socket_id;
  const frames = client.heard.data('message').length;
  await sdk.trigger([left.name, kept.name], 'news', {});
  await kept.heard.event('news');
  assert.deepEqual(client.heard.data('message').slice(frames).map((m) => m.channel), [kept.name]);
  assert.equal(client.connection.socket_id, id);
});

scenario('who unsubscribes and subscribes at once is subscribed', async (t) => {
  const client = pusher(t, server, main);
  const name = (await subscribed(client, channel())).name;
  client.unsubscribe(name);
  const room = await subscribed(client, name);
  await sdk.trigger(name, 'back', {});
  await sdk.trigger(name, 'last', {});
  await room.heard.event('last');
  assert.equal(room.heard.data('back').length, 1);
});

scenario('the sender, named by its socket ID, does not get the event', async (t) => {
  const name = channel();
  const me = pusher(t, server, main);
  const mine = await subscribed(me, name);
  const theirs = await subscribed(pusher(t, server, main), name);
  await sdk.trigger(name, 'move', {}, { socket_id: me.connection.socket_id });
  await sdk.trigger(name, 'last', {});
  await Promise.all([mine.heard.event('last'), theirs.heard.event('last')]);
  assert.deepEqual(theirs.heard.events, ['pusher:subscription_succeeded', 'move', 'last']);
  assert.deepEqual(mine.heard.events, ['pusher:subscription_succeeded', 'last']);
});

scenario('a socket ID of nobody excludes nobody', async (t) => {
  const room = await subscribed(pusher(t, server, main), channel());
  await sdk.trigger(room.name, 'all', {}, { socket_id: '1.1' });
  await room.heard.event('all');
});

scenario('one trigger reaches a hundred channels', async (t) => {
  const client = pusher(t, server, main);
  const rooms = await Promise.all(Array.from({ length: 100 }, () => subscribed(client, channel('many-'))));
  await sdk.trigger(rooms.map((r) => r.name), 'all', { n: 100 });
  await Promise.all(rooms.map((r) => r.heard.event('all')));
});

scenario('a batch sends each event to its own channel, in order', async (t) => {
  const client = pusher(t, server, main);
  const a = await subscribed(client, channel());
  const b = await subscribed(client, channel());
  const response = await sdk.triggerBatch(
    Array.from({ length: 10 }, (_, i) => ({ channel: (i % 2 ? b : a).name, name: 'n', data: { i } })),
  );
  assert.equal(response.status, 200);
  await Promise.all([a.heard.count('n', 5), b.heard.count('n', 5)]);
  assert.deepEqual(a.heard.data('n').map((d) => d.i), [0, 2, 4, 6, 8]);
  assert.deepEqual(b.heard.data('n').map((d) => d.i), [1, 3, 5, 7, 9]);
});

scenario('a batch excludes the sender of each event', async (t) => {
  const name = channel();
  const me = pusher(t, server, main);
  const mine = await subscribed(me, name);
  const theirs = await subscribed(pusher(t, server, main), name);
  await sdk.triggerBatch([
    { channel: name, name: 'move', data: {}, socket_id: me.connection.socket_id },
    { channel: name, name: 'last', data: {} },
  ]);
  await Promise.all([mine.heard.event('last'), theirs.heard.event('move')]);
  assert.deepEqual(mine.heard.data('move'), []);
});

const payloads = {
  'an empty object': {},
  'an empty list': [],
  'a number': 42,
  'a string that is no JSON': 'plain text, "quoted" and \\ back\\slashed',
  'an emoji and letters of many scripts': { text: '👩‍👩‍👧‍👦 ☃ Ωß 漢字 \u2028 עברית' },
  'markup that a careless encoder escapes': { html: '</script><b a="1">&amp;\'</b>' },
  'nested data with null and false': { a: [1, [2, { b: null }]], c: false, d: '' },
  'control characters': { text: '\u0000\u0001\t\r\n\u001f\u007f' },
  'ten kilobytes': 'x'.repeat(10_240),
};

for (const [what, data] of Object.entries(payloads)) {
  scenario(`the data arrives as it was sent: ${what}`, async (t) => {
    const room = await subscribed(pusher(t, server, main), channel());
    await sdk.trigger(room.name, 'data', data);
    assert.deepEqual((await room.heard.event('data')).data, data);
  });
}

for (const name of ['App\\Events\\OrderShipped', '.dotted.name', 'with spaces: and 🦄', 'n'.repeat(200)]) {
  scenario(`an event may be called ${name.slice(0, 30)}`, async (t) => {
    const room = await subscribed(pusher(t, server, main), channel());
    await sdk.trigger(room.name, name, { ok: true });
    assert.deepEqual((await room.heard.event(name)).data, { ok: true });
  });
}

scenario('a channel name may have every character that is allowed', async (t) => {
  const name = channel('aZ09_-=@,.;');
  const room = await subscribed(pusher(t, server, main), name);
  await sdk.trigger(name, 'punctuated', {});
  await room.heard.event('punctuated');
  assert.deepEqual(await (await sdk.get({ path: `/channels/${name}` })).json(), { occupied: true });
});

scenario('a channel name that is not allowed is refused, and the client stays connected', async (t) => {
  const client = pusher(t, server, main);
  const bad = client.subscribe('no spaces please');
  bad.heard = hear(bad);
  await bad.heard.event('pusher:subscription_error');
  assert.equal((await client.heard.event('error')).data.type, 'PusherError');
  await subscribed(client, channel());
});

scenario('apps do not hear each other, though channel and event are the same', async (t) => {
  const name = channel();
  const here = await subscribed(pusher(t, server, main), name);
  const there = await subscribed(pusher(t, server, other), name);
  await sdk.trigger(name, 'ours', {});
  await http(server, other).trigger(name, 'theirs', {});
  await here.heard.event('ours');
  await there.heard.event('theirs');
  await sdk.trigger(name, 'last', {});
  await here.heard.event('last');
  assert.deepEqual(here.heard.events, ['pusher:subscription_succeeded', 'ours', 'last']);
  assert.deepEqual(there.heard.events, ['pusher:subscription_succeeded', 'theirs']);
});

scenario('a client in fifty channels hears each event in its channel', async (t) => {
  const client = pusher(t, server, main);
  await connected(client);
  const rooms = await Promise.all(Array.from({ length: 50 }, () => subscribed(client, channel())));
  await Promise.all(rooms.map((room, i) => sdk.trigger(room.name, 'n', i)));
  await Promise.all(rooms.map((room) => room.heard.event('n')));
  assert.deepEqual(rooms.map((room) => room.heard.data('n')), rooms.map((_, i) => [i]));
});
