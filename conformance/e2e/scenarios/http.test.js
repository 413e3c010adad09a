// The HTTP API, asked by the pusher SDK.

import assert from 'node:assert/strict';
import { Agent } from 'node:http';

import { backend as start } from '../lib/backend.js';
import { http, pusher, subscribed } from '../lib/clients.js';
import { channel, scenario } from '../lib/scenario.js';
import { app, serve } from '../lib/server.js';

const main = app('main');
const idle = app('idle');
const quiet = app('quiet', { publish_rate: 1 });

const server = await serve([main, idle, quiet]);
const sdk = http(server, main);
const backend = await start(sdk);

const user = (t, name) => pusher(t, server, main, { backend, user: name });
const get = async (path, params, from = sdk) => (await from.get({ path, params })).json();

// refusal is the status and body with which the server refuses what is asked.
async function refusal(request) {
  const err = await request.then(
    (response) => assert.fail(`got status ${response.status}, want a refusal`),
    (err) => err,
  );
  assert.equal(err.name, 'PusherRequestError', err);
  return { status: err.status, body: err.body };
}

scenario('an event of the SDK is answered with an empty object', async () => {
  const response = await sdk.trigger(channel(), 'nobody-listens', {});
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type'), /^application\/json/);
  assert.deepEqual(await response.json(), {});
});

scenario('an event tells what is asked about its channels', async (t) => {
  const open = await subscribed(user(t, 'ada'), channel());
  const presence = await subscribed(user(t, 'bob'), channel('presence-'));
  const response = await sdk.trigger([open.name, presence.name], 'e', {}, { info: 'user_count,subscription_count' });
  assert.deepEqual(await response.json(), {
    channels: {
      [open.name]: { subscription_count: 1 },
      [presence.name]: { subscription_count: 1, user_count: 1 },
    },
  });
});

scenario('a batch tells what is asked about each event, in order', async (t) => {
  const room = await subscribed(user(t, 'ada'), channel());
  const response = await sdk.triggerBatch([
    { channel: room.name, name: 'e', data: {}, info: 'subscription_count' },
    { channel: room.name, name: 'e', data: {} },
  ]);
  assert.deepEqual(await response.json(), { batch: [{ subscription_count: 1 }, {}] });
});

scenario('the channels are those that have subscribers', async (t) => {
  const name = channel('listed-');
  await subscribed(user(t, 'ada'), name);
  await sdk.trigger(channel('listed-unheard-'), 'e', {});
  assert.deepEqual(await get('/channels', { filter_by_prefix: 'listed-' }), { channels: { [name]: {} } });
});

scenario('the channels of an app that nobody uses are an empty object', async () => {
  assert.deepEqual(await get('/channels', {}, http(server, idle)), { channels: {} });
});

scenario('presence channels are counted by user', async (t) => {
  const name = channel('presence-counted-');
  await subscribed(user(t, 'ada'), name);
  await subscribed(user(t, 'ada'), name);
  await subscribed(user(t, 'bob'), name);
  assert.deepEqual(await get('/channels', { filter_by_prefix: 'presence-counted-', info: 'user_count' }), {
    channels: { [name]: { user_count: 2 } },
  });
  assert.deepEqual(await get(`/channels/${name}`, { info: 'user_count,subscription_count' }), {
    occupied: true,
    user_count: 2,
    subscription_count: 3,
  });
});

scenario('a channel that nobody is in is not occupied', async () => {
  assert.deepEqual(await get(`/channels/${channel()}`), { occupied: false });
});

scenario('a cache channel tells what it keeps, and for how long', async () => {
  const name = channel('cache-');
  assert.equal((await get(`/channels/${name}`, { info: 'cache' })).cache, null);
  await sdk.trigger(name, 'price', { eur: 1 });
  const { cache } = await get(`/channels/${name}`, { info: 'cache' });
  assert.equal(cache.data, '{"eur":1}');
  assert.ok(cache.ttl > 1_700 && cache.ttl <= 1_800, `ttl is ${cache.ttl}, want just under 1800 seconds`);
});

scenario('the users of a presence channel are listed once each', async (t) => {
  const name = channel('presence-');
  for (const u of ['ada', 'bob', 'bob']) await subscribed(user(t, u), name);
  const { users } = await get(`/channels/${name}/users`);
  assert.deepEqual(users.map((u) => u.id).sort(), ['ada', 'bob']);
});

scenario('a presence channel that nobody is in has an empty list of users', async () => {
  assert.deepEqual(await get(`/channels/${channel('presence-')}/users`), { users: [] });
});

scenario('the users of a channel without presence are not asked for, with 400', async () => {
  assert.equal((await refusal(sdk.get({ path: `/channels/${channel()}/users` }))).status, 400);
});

scenario('connections are counted, subscribed or not', async (t) => {
  const client = pusher(t, server, idle);
  await client.heard.event('connected');
  assert.deepEqual(await get('/connections', {}, http(server, idle)), { connections: 1 });
});

scenario('a secret that is wrong is answered 401, with what should have been signed', async () => {
  const { status, body } = await refusal(http(server, { ...main, secret: 'guessed' }).trigger(channel(), 'e', {}));
  assert.equal(status, 401);
  assert.match(body, /^Invalid signature: you should have sent HmacSHA256Hex\("POST\\n\/apps\/id-main\/events\\n/);
  assert.ok(!body.includes(main.secret), body);
});

scenario('a key of another app is answered 401', async () => {
  assert.equal((await refusal(http(server, { ...idle, id: main.id }).trigger(channel(), 'e', {}))).status, 401);
});

scenario('data over ten kilobytes is answered 413, and says what the limit is', async () => {
  const { status, body } = await refusal(sdk.trigger(channel(), 'e', 'x'.repeat(10_241)));
  assert.equal(status, 413);
  assert.match(body, /exceeds the allowed maximum \(10240 bytes\)/);
});

scenario('a batch of eleven is answered 400', async () => {
  const batch = Array.from({ length: 11 }, () => ({ channel: channel(), name: 'e', data: {} }));
  assert.equal((await refusal(sdk.triggerBatch(batch))).status, 400);
});

for (const name of ['pusher:subscription_succeeded', 'pusher_internal:member_added']) {
  scenario(`an event cannot be called ${name}`, async (t) => {
    const room = await subscribed(user(t, 'ada'), channel());
    assert.equal((await refusal(sdk.trigger(room.name, name, {}))).status, 400);
    await sdk.trigger(room.name, 'last', {});
    await room.heard.event('last');
    assert.deepEqual(room.heard.events, ['pusher:subscription_succeeded', 'last']);
  });
}

scenario('a batch with one bad event publishes none of it', async (t) => {
  const room = await subscribed(user(t, 'ada'), channel());
  const { status } = await refusal(
    sdk.triggerBatch([
      { channel: room.name, name: 'good', data: {} },
      { channel: room.name, name: 'pusher:bad', data: {} },
    ]),
  );
  assert.equal(status, 400);
  await sdk.trigger(room.name, 'last', {});
  await room.heard.event('last');
  assert.deepEqual(room.heard.data('good'), []);
});

scenario('above the rate of its app the SDK is answered 429', async () => {
  const sdk = http(server, quiet);
  const all = await Promise.allSettled(Array.from({ length: 10 }, () => sdk.trigger(channel(), 'e', {})));
  const refused = all.filter((r) => r.status === 'rejected');
  assert.ok(refused.length > 0 && refused.length < 10, `${refused.length} of 10 were refused`);
  for (const { reason } of refused) assert.equal(reason.status, 429);
});

scenario('requests share a connection that is kept alive', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let opened = 0;
  const connect = agent.createConnection;
  agent.createConnection = (...args) => {
    opened++;
    return connect.apply(agent, args);
  };
  const keeping = http(server, main, { agent });
  for (let i = 0; i < 20; i++) await (await keeping.trigger(channel(), 'e', { i })).text();
  agent.destroy();
  assert.equal(opened, 1);
});

scenario('a load balancer finds the server up', async () => {
  const response = await fetch(`${server.url}/up`);
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { health: 'OK' });
});
