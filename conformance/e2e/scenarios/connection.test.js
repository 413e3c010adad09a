// What pusher-js goes through before it subscribes to anything.

import assert from 'node:assert/strict';

import { connected, http, pusher, socket, subscribed } from '../lib/clients.js';
import { channel, scenario } from '../lib/scenario.js';
import { app, serve } from '../lib/server.js';
import { eventually } from '../lib/wait.js';

const main = app('main');
const small = app('small', { max_connections: 2 });
const off = app('off', { enabled: false });
const picky = app('picky', { allowed_origins: ['example.com'] });
const lively = app('lively', { ping_interval: '1s', pong_timeout: '5s', activity_timeout: '7s' });

const server = await serve([main, small, off, picky, lively]);
const prefixed = await serve([main], { server: { path: '/ws/v1' } });

scenario('a client connects and gets a socket ID of two numbers', async (t) => {
  const client = pusher(t, server, main);
  assert.match(await connected(client), /^\d+\.\d+$/);
});

scenario('every client gets a socket ID of its own', async (t) => {
  const ids = await Promise.all(Array.from({ length: 20 }, () => connected(pusher(t, server, main))));
  assert.equal(new Set(ids).size, 20);
});

scenario('the client is told the activity timeout of its app', async (t) => {
  const ws = socket(t, server, lively);
  const { data } = await ws.heard.event('pusher:connection_established');
  assert.equal(data.activity_timeout, 7);
});

// refused checks that a client hears code and is disconnected for good: it
// does not try again, though others connect meanwhile.
async function refused(t, app, code) {
  const client = pusher(t, server, app);
  const { data: error } = await client.heard.event('error');
  await client.heard.event('disconnected');
  assert.equal(error.error.data.code, code);

  await connected(pusher(t, server, main));
  assert.equal(client.connection.state, 'disconnected');
  assert.ok(!client.connection.retryTimer, 'it means to try again');
  assert.deepEqual(client.heard.data('connecting_in'), []);
  return error.error.data;
}

scenario('an unknown key disconnects the client for good, with 4001', async (t) => {
  const { message } = await refused(t, app('nobody'), 4001);
  assert.equal(message, 'Application does not exist');
});

scenario('a disabled app disconnects the client for good, with 4003', (t) => refused(t, off, 4003));

scenario('an app that names origins takes no client without one, with 4009', (t) => refused(t, picky, 4009));

scenario('a client over the quota is refused with 4004, until another one leaves', async (t) => {
  const first = pusher(t, server, small);
  await connected(first);
  await connected(pusher(t, server, small));
  await refused(t, small, 4004);

  first.disconnect();
  await eventually(
    async () => {
      const next = pusher(t, server, small);
      await next.heard.find((e) => e.event === 'connected' || e.event === 'disconnected');
      return next.connection.state;
    },
    (state) => state === 'connected',
    'the place of the one who left',
  );
});

scenario('a server under a path serves clients and SDK there', async (t) => {
  const client = pusher(t, prefixed, main);
  const room = await subscribed(client, channel());
  await http(prefixed, main).trigger(room.name, 'hello', { from: 'the path' });
  assert.deepEqual((await room.heard.event('hello')).data, { from: 'the path' });
});

scenario('a ping of the client is answered, and keeps it connected', async (t) => {
  const client = pusher(t, server, main, { activityTimeout: 200, pongTimeout: 30_000 });
  const id = await connected(client);
  const pongs = () => client.heard.data('message').filter((m) => m.event === 'pusher:pong').length;
  await client.heard.find(() => pongs() >= 3, 'three pongs');
  assert.equal(client.connection.socket_id, id);
  assert.deepEqual(client.heard.data('disconnected'), []);
});

scenario('a silent client is pinged, and stays as long as it answers', async (t) => {
  const ws = socket(t, server, lively);
  await ws.heard.count('control ping', 3);
  assert.deepEqual(ws.heard.data('close'), []);
});

scenario('a client that does not answer pings is told 4201 and closed', async (t) => {
  const ws = socket(t, server, lively, { autoPong: false });
  const { data: error } = await ws.heard.event('pusher:error');
  assert.deepEqual(error, { code: 4201, message: 'Pong reply not received' });
  const { data: close } = await ws.heard.event('close');
  assert.equal(close.code, 4201);
  assert.equal(ws.heard.data('control ping').length, 1);
});

scenario('pusher-js stays connected to an app that pings every second', async (t) => {
  const client = pusher(t, server, lively);
  const witness = socket(t, server, lively);
  const id = await connected(client);
  await witness.heard.count('control ping', 3);
  assert.equal(client.connection.state, 'connected');
  assert.equal(client.connection.socket_id, id);
});

scenario('a client that disconnects and connects again gets its channels back', async (t) => {
  const client = pusher(t, server, main);
  const room = await subscribed(client, channel());
  const before = client.connection.socket_id;
  client.disconnect();
  client.connect();
  await room.heard.count('pusher:subscription_succeeded', 2);
  assert.notEqual(client.connection.socket_id, before);
  await http(server, main).trigger(room.name, 'again', {});
  await room.heard.event('again');
});
