// A server comes and goes; its clients follow.

import assert from 'node:assert/strict';

import { backend as start } from '../lib/backend.js';
import { Balancer } from '../lib/balancer.js';
import { connected, http, pusher, socket, subscribed } from '../lib/clients.js';
import { channel, scenario } from '../lib/scenario.js';
import { Server, app } from '../lib/server.js';

const main = app('main');
const other = app('other');

async function started(t, config = {}) {
  const server = await Server.start({ config: { ...config, apps: [main, other] } });
  t.after(() => server.stop());
  return server;
}

// back waits until the subscribers of rooms are subscribed again, at a server
// that serves them.
async function back(server, rooms) {
  await Promise.all(rooms.map((r) => r.heard.count('pusher:subscription_succeeded', 2)));
  await http(server, main).trigger(rooms.map((r) => r.name), 'back', {});
  await Promise.all(rooms.map((r) => r.heard.event('back')));
}

scenario('clients of a server that stops are told 4200, and are at the next one at once', async (t) => {
  const balancer = await Balancer.start(t);
  const old = await started(t);
  balancer.use(old);
  const clients = Array.from({ length: 5 }, () => pusher(t, balancer, main));
  const rooms = await Promise.all(clients.map((c) => subscribed(c, channel())));
  const ids = clients.map((c) => c.connection.socket_id);

  const next = await started(t);
  balancer.use(next);
  await old.stop();
  await back(next, rooms);
  for (const [i, c] of clients.entries()) {
    // The event says so, and the close frame says it again.
    const errors = c.heard.data('error').map((e) => e.data ?? e.error.data);
    assert.ok(errors.length >= 2, `it heard ${c.heard}`);
    for (const e of errors) assert.deepEqual(e, { code: 4200, message: 'Server shutting down' });
    // What pusher-js is about to do, it notes.
    const delays = c.timeline.events.filter((e) => e.action === 'retry').map((e) => e.delay);
    assert.ok(delays.includes(0), `it tried again after ${delays} ms, want at once`);
    assert.notEqual(c.connection.socket_id, ids[i]);
  }
});

scenario('clients of a server that is killed are at the next one a second later', async (t) => {
  const balancer = await Balancer.start(t);
  const old = await started(t);
  balancer.use(old);
  const client = pusher(t, balancer, main);
  const room = await subscribed(client, channel());
  const next = await started(t);
  balancer.use(next);
  await old.stop('SIGKILL');
  await back(next, [room]);
  assert.deepEqual(client.heard.data('connecting_in'), [1]);
});

// Nothing listens for a moment, and pusher-js, once it was refused, tries again
// only after fifteen seconds.
scenario('clients come back to a server that is started again on its port', async (t) => {
  const old = await started(t);
  const client = pusher(t, old, main);
  const room = await subscribed(client, channel());
  await old.stop();
  const next = await started(t, { server: { port: old.port } });
  await back(next, [room]);
});

for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT']) {
  scenario(`at ${signal} every socket of every app is closed with 4200, and counted`, async (t) => {
    const server = await started(t);
    const sockets = [main, other, main, other].map((a) => socket(t, server, a));
    await Promise.all(sockets.map((ws) => ws.heard.event('pusher:connection_established')));
    // Half of them are subscribed, half only connected.
    for (const ws of sockets.slice(0, 2)) {
      ws.send('{"event":"pusher:subscribe","data":{"channel":"room"}}');
      await ws.heard.event('pusher_internal:subscription_succeeded');
    }
    await server.stop(signal);
    for (const ws of sockets) {
      assert.equal((await ws.heard.event('pusher:error')).data.code, 4200);
      assert.equal((await ws.heard.event('close')).data.code, 4200);
    }
    assert.match(server.output, /\b4\b.*connection|connection.*\b4\b/i);
  });
}

scenario('goodbyes are spread over the drain timeout', async (t) => {
  const server = await started(t, { server: { drain_timeout: '3s' } });
  const closed = [];
  const sockets = Array.from({ length: 10 }, () => socket(t, server, main));
  for (const ws of sockets) ws.on('close', () => closed.push(Date.now()));
  await Promise.all(sockets.map((ws) => ws.heard.event('pusher:connection_established')));
  await server.stop();
  await Promise.all(sockets.map((ws) => ws.heard.event('close')));
  const took = closed.at(-1) - closed[0];
  assert.ok(took > 300, `all goodbyes came within ${took} ms, want them spread over three seconds`);
});

scenario('a member whose server was killed is there once when it is back', async (t) => {
  const balancer = await Balancer.start(t);
  const old = await started(t);
  balancer.use(old);
  const backend = await start(http(balancer, main), t);
  const client = pusher(t, balancer, main, { backend, user: 'ada' });
  const room = await subscribed(client, channel('presence-'));
  balancer.use(await started(t));
  await old.stop('SIGKILL');
  await room.heard.count('pusher:subscription_succeeded', 2);
  assert.equal(room.members.count, 1);
  assert.equal(room.members.me.id, 'ada');
});

scenario('a server that stops sends no client into a loop', async (t) => {
  const balancer = await Balancer.start(t);
  const server = await started(t, { server: { drain_timeout: '1s' } });
  balancer.use(server);
  const clients = Array.from({ length: 5 }, () => pusher(t, balancer, main));
  await Promise.all(clients.map(connected));
  const began = Date.now();
  const stopped = server.stop();
  await Promise.all(clients.map((c) => c.heard.event('error')));
  await stopped;
  // Each tries again at once, then every second, and is not told to do so again
  // and again.
  const most = clients.length * (4 + Math.ceil((Date.now() - began) / 1_000));
  assert.ok(balancer.accepted <= most, `${clients.length} clients connected ${balancer.accepted} times`);
});
