// Private, encrypted and cache channels: who gets in, and what is kept.

import assert from 'node:assert/strict';

import { backend as start } from '../lib/backend.js';
import { connected, hear, http, pusher, subscribed } from '../lib/clients.js';
import { channel, scenario } from '../lib/scenario.js';
import { app, serve } from '../lib/server.js';

const main = app('main');
const server = await serve([main]);
const sdk = http(server, main);
const backend = await start(sdk);

const ada = (t, more) => pusher(t, server, main, { backend, user: 'ada', ...more });

// signedBy lets the client in, or not, with what sign returns.
const signedBy = (sign) => ({
  backend: undefined,
  channelAuthorization: {
    customHandler: ({ socketId, channelName }, callback) => callback(null, sign(socketId, channelName)),
  },
});

scenario('a private channel lets in whom the backend lets in', async (t) => {
  const room = await subscribed(ada(t), channel('private-'));
  await sdk.trigger(room.name, 'secret', { n: 1 });
  assert.deepEqual((await room.heard.event('secret')).data, { n: 1 });
});

scenario('whom the backend refuses gets a subscription error with its status', async (t) => {
  const client = ada(t);
  const room = client.subscribe(`${channel('private-')}-secret`);
  room.heard = hear(room);
  const { data } = await room.heard.event('pusher:subscription_error');
  assert.equal(data.type, 'AuthError');
  assert.equal(data.status, 403);
});

const forgeries = {
  'of another secret': (id, name) => http(server, { ...main, secret: 'guessed' }).authorizeChannel(id, name),
  'of another channel': (id) => sdk.authorizeChannel(id, 'private-elsewhere'),
  'of another socket': (_, name) => sdk.authorizeChannel('1.1', name),
  'with another key': (id, name) => ({ auth: sdk.authorizeChannel(id, name).auth.replace(main.key, 'key-other') }),
  'of no form': () => ({ auth: 'nonsense' }),
};

for (const [what, sign] of Object.entries(forgeries)) {
  scenario(`the server refuses a signature ${what}, and the client stays connected`, async (t) => {
    const client = ada(t, signedBy(sign));
    const room = client.subscribe(channel('private-'));
    room.heard = hear(room);
    const { data } = await room.heard.event('pusher:subscription_error');
    assert.equal(data.type, 'AuthError');
    assert.equal(data.status, 401);
    const { data: error } = await client.heard.event('error');
    assert.equal(error.type, 'PusherError');
    assert.equal(error.data.code, null);

    await sdk.trigger(room.name, 'secret', {});
    const open = await subscribed(client, channel());
    await sdk.trigger(open.name, 'last', {});
    await open.heard.event('last');
    assert.deepEqual(room.heard.data('secret'), []);
  });
}

scenario('channel_data on a private channel is part of what is signed', async (t) => {
  const client = ada(t, signedBy((id, name) => sdk.authorizeChannel(id, name, { user_id: 'ada', user_info: { a: 1 } })));
  await subscribed(client, channel('private-'));
});

scenario('an encrypted event is read by its subscribers only', async (t) => {
  const client = ada(t);
  const room = await subscribed(client, channel('private-encrypted-'));
  await sdk.trigger(room.name, 'sealed', { text: 'between us 🤫' });
  assert.deepEqual((await room.heard.event('sealed')).data, { text: 'between us 🤫' });

  // What the server passed on is neither read nor changed by it.
  const { data } = client.heard.data('message').find((m) => m.event === 'sealed');
  assert.deepEqual(Object.keys(data).sort(), ['ciphertext', 'nonce']);
});

scenario('an encrypted event in a batch is read by its subscribers', async (t) => {
  const room = await subscribed(ada(t), channel('private-encrypted-'));
  await sdk.triggerBatch([{ channel: room.name, name: 'sealed', data: { n: 1 } }]);
  assert.deepEqual((await room.heard.event('sealed')).data, { n: 1 });
});

for (const prefix of ['cache-', 'private-cache-', 'private-encrypted-cache-', 'presence-cache-']) {
  scenario(`a ${prefix} channel tells a subscriber that there is nothing yet`, async (t) => {
    const room = await subscribed(ada(t), channel(prefix));
    await room.heard.event('pusher:cache_miss');
  });

  scenario(`a ${prefix} channel replays its last event, and only that`, async (t) => {
    const name = channel(prefix);
    await sdk.trigger(name, 'price', { eur: 1 });
    await sdk.trigger(name, 'price', { eur: 2 });
    const room = await subscribed(ada(t), name);
    assert.deepEqual((await room.heard.event('price')).data, { eur: 2 });
    await sdk.trigger(name, 'last', {});
    await room.heard.event('last');
    assert.deepEqual(room.heard.events, ['pusher:subscription_succeeded', 'price', 'last']);
  });
}

scenario('a cache channel remembers when everybody has left', async (t) => {
  const client = ada(t);
  const name = channel('cache-');
  await subscribed(client, name);
  await sdk.trigger(name, 'kept', { n: 1 });
  client.disconnect();
  const room = await subscribed(ada(t), name);
  assert.deepEqual((await room.heard.event('kept')).data, { n: 1 });
});

scenario('a cache channel does not remember the events of clients', async (t) => {
  const name = channel('private-cache-');
  await sdk.trigger(name, 'official', { n: 1 });
  const sender = await subscribed(ada(t), name);
  const witness = await subscribed(ada(t), name);
  sender.trigger('client-gossip', { n: 2 });
  await witness.heard.event('client-gossip');
  const late = await subscribed(ada(t), name);
  assert.deepEqual((await late.heard.event('official')).data, { n: 1 });
  assert.deepEqual(late.heard.data('client-gossip'), []);
});

scenario('a subscriber of a cache channel gets new events once', async (t) => {
  const client = ada(t);
  await connected(client);
  const room = await subscribed(client, channel('cache-'));
  await sdk.trigger(room.name, 'price', { eur: 3 });
  await sdk.trigger(room.name, 'last', {});
  await room.heard.event('last');
  assert.deepEqual(room.heard.events, ['pusher:subscription_succeeded', 'pusher:cache_miss', 'price', 'last']);
});
