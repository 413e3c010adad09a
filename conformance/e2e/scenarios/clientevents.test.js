// Client events: what clients tell each other without a backend.

import assert from 'node:assert/strict';

import { backend as start } from '../lib/backend.js';
import { hear, http, pusher, subscribed } from '../lib/clients.js';
import { channel, scenario } from '../lib/scenario.js';
import { app, serve } from '../lib/server.js';

const main = app('main', { client_event_rate: 0 });
const slow = app('slow', { client_event_rate: 2 });
const mute = app('mute', { client_events: 'none' });
const flooded = app('flooded', {
  message_rate: { enabled: true, max_attempts: 5, decay: '1m', terminate_on_limit: true },
});

const server = await serve([main, slow, mute, flooded]);
const backends = new Map();
for (const a of [main, slow, mute, flooded]) backends.set(a, await start(http(server, a)));

const user = (t, name, a = main) => pusher(t, server, a, { backend: backends.get(a), user: name });

// pair is two users in one channel.
async function pair(t, prefix, a = main) {
  const name = channel(prefix);
  return [await subscribed(user(t, 'ada', a), name), await subscribed(user(t, 'bob', a), name)];
}

// senders gathers what is said of who sent an event, which only those who bind
// to it are told.
function senders(room, event) {
  const from = [];
  room.bind(event, (_, metadata) => from.push(metadata));
  return from;
}

scenario('a client event reaches the others, and not its sender', async (t) => {
  const [ada, bob] = await pair(t, 'private-');
  ada.trigger('client-typing', { who: 'ada' });
  assert.deepEqual((await bob.heard.event('client-typing')).data, { who: 'ada' });
  bob.trigger('client-last', {});
  await ada.heard.event('client-last');
  assert.deepEqual(ada.heard.events, ['pusher:subscription_succeeded', 'client-last']);
});

scenario('client events go both ways', async (t) => {
  const [ada, bob] = await pair(t, 'private-');
  ada.trigger('client-ping', { n: 1 });
  await bob.heard.event('client-ping');
  bob.trigger('client-pong', { n: 2 });
  assert.deepEqual((await ada.heard.event('client-pong')).data, { n: 2 });
});

scenario('a client event in a presence channel says whose it is', async (t) => {
  const [ada, bob] = await pair(t, 'presence-');
  const from = senders(bob, 'client-wave');
  ada.trigger('client-wave', {});
  await bob.heard.event('client-wave');
  assert.deepEqual(from, [{ user_id: 'ada' }]);
});

scenario('a client cannot say that its event is somebody else’s', async (t) => {
  const [ada, bob] = await pair(t, 'presence-');
  const from = senders(bob, 'client-wave');
  ada.pusher.connection.connection.send(
    JSON.stringify({ event: 'client-wave', channel: ada.name, data: {}, user_id: 'root', socket_id: '1.1' }),
  );
  await bob.heard.event('client-wave');
  assert.deepEqual(from, [{ user_id: 'ada' }]);
  const frame = bob.pusher.heard.data('message').find((m) => m.event === 'client-wave');
  assert.deepEqual(Object.keys(frame).sort(), ['channel', 'data', 'event', 'user_id']);
});

for (const [what, data] of Object.entries({
  'an empty object': {},
  'a string': 'just text',
  'a list': [1, 'two', { three: 3 }],
  'an emoji': { text: '🦊' },
})) {
  scenario(`a client event carries ${what} unchanged`, async (t) => {
    const [ada, bob] = await pair(t, 'private-');
    ada.trigger('client-data', data);
    assert.deepEqual((await bob.heard.event('client-data')).data, data);
  });
}

// refused checks that the sender is told what was wrong with its event, that
// nobody gets the event, and that the sender is still connected.
async function refused(sender, witness, send, want) {
  send();
  const { data } = await sender.pusher.heard.event('error');
  assert.equal(data.type, 'PusherError');
  assert.match(data.data.message, want);
  sender.pusher.unsubscribe(sender.name);
  await subscribed(sender.pusher, sender.name);
  assert.deepEqual(witness.heard.events.filter((e) => e.startsWith('client-')), []);
}

scenario('a client event on a public channel is refused', async (t) => {
  const [ada, bob] = await pair(t, '');
  await refused(ada, bob, () => ada.trigger('client-hi', {}), /private and presence/);
});

scenario('a client event to a channel that its sender is not in is refused', async (t) => {
  const [ada] = await pair(t, 'private-');
  const elsewhere = await subscribed(user(t, 'eve'), channel('private-'));
  await refused(ada, elsewhere, () => ada.pusher.send_event('client-hi', {}, elsewhere.name), /not subscribed/);
});

scenario('an app that wants no client events says how to have them', async (t) => {
  const [ada, bob] = await pair(t, 'private-', mute);
  await refused(ada, bob, () => ada.trigger('client-hi', {}), /client_events/);
});

scenario('a client cannot publish what only the server may say', async (t) => {
  const [ada, bob] = await pair(t, 'presence-');
  const forged = { user_id: 'ghost', user_info: {} };
  ada.pusher.send_event('pusher_internal:member_added', forged, ada.name);
  await ada.pusher.heard.event('error');
  ada.trigger('client-last', {});
  await bob.heard.event('client-last');
  assert.deepEqual(bob.heard.data('pusher:member_added'), []);
  assert.equal(bob.members.count, 2);
});

scenario('a client above the rate hears 4301 and stays connected', async (t) => {
  const [ada, bob] = await pair(t, 'private-', slow);
  const id = ada.pusher.connection.socket_id;
  for (let i = 0; i < 10; i++) ada.trigger('client-n', { i });
  const { data } = await ada.pusher.heard.event('error');
  assert.equal(data.data.code, 4301);
  assert.deepEqual((await bob.heard.event('client-n')).data, { i: 0 });
  bob.trigger('client-last', {});
  await ada.heard.event('client-last');
  assert.equal(ada.pusher.connection.socket_id, id);
  assert.ok(bob.heard.data('client-n').length < 10, 'the rate limits nothing');
});

scenario('a client that sends too much of anything hears 4301 before it is cut off', async (t) => {
  const client = user(t, 'ada', flooded);
  await client.heard.event('connected');
  for (let i = 0; i < 20; i++) client.send_event('pusher:ping', {});
  const { data } = await client.heard.event('error');
  assert.equal(data.data.code, 4301);
  // 4100 brings it back after a second; 4301 would have sent it away for good.
  await client.heard.count('connected', 2);
});

scenario('a client event is heard by one subscribed while it was sent, or not at all', async (t) => {
  const [ada, bob] = await pair(t, 'private-');
  ada.trigger('client-before', {});
  await bob.heard.event('client-before');
  const client = user(t, 'eve');
  const late = client.subscribe(ada.name);
  late.heard = hear(late);
  await late.heard.event('pusher:subscription_succeeded');
  ada.trigger('client-after', {});
  await late.heard.event('client-after');
  assert.deepEqual(late.heard.events, ['pusher:subscription_succeeded', 'client-after']);
});
