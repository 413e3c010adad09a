// A server comes and goes; its clients follow.

import assert from 'node:assert/strict';

import { backend as start } from '../lib/backend.js';
import { connected, http, pusher, socket, subscribed } from '../lib/clients.js';
import { channel, scenario } from '../lib/scenario.js';
import { Server, app, freePort } from '../lib/server.js';

const main = app('main');
const other = app('other');

// onPort starts a server that can be started again where it was.
async function onPort(t, port, config = {}) {
  const server = await Server.start({ config: { ...config, apps: [main, other], server: { port, ...config.server } } });
  t.after(() => server.stop());
  return server;
}

scenario('clients that the server says goodbye to come back to the next one', async (t) => {
  const port = await freePort();
  const server = await onPort(t, port);
  const clients = Array.from({ length: 5 }, () => pusher(t, server, main));
  const rooms = await Promise.all(clients.map((c) => subscribed(c, channel())));
  const ids = clients.map((c) => c.connection.socket_id);

  await server.stop();
  for (const c of clients) {
    const { data } = await c.heard.event('error');
    assert.deepEqual(data.data, { code: 4200, message: 'Server shutting down' });
  }

  const next = await onPort(t, port);
  await Promise.all(rooms.map((r) => r.heard.count('pusher:subscription_succeeded', 2)));
  for (const [i, c] of clients.entries()) assert.notEqual(c.connection.socket_id, ids[i]);
  await http(next, main).trigger(rooms.map((r) => r.name), 'back', {});
  await Promise.all(rooms.map((r) => r.heard.event('back')));
});

scenario('clients come back to a server that was killed', async (t) => {
  const port = await freePort();
  const server = await onPort(t, port);
  const client = pusher(t, server, main);
  const room = await subscribed(client, channel());
  await server.stop('SIGKILL');
  const next = await onPort(t, port);
  await room.heard.count('pusher:subscription_succeeded', 2);
  await http(next, main).trigger(room.name, 'back', {});
  await room.heard.event('back');
});

for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT']) {
  scenario(`at ${signal} every socket of every app is closed with 4200, and counted`, async (t) => {
    const server = await onPort(t, 0);
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
  const server = await onPort(t, 0, { server: { drain_timeout: '1s' } });
  const closed = [];
  const sockets = Array.from({ length: 10 }, () => socket(t, server, main));
  for (const ws of sockets) ws.on('close', () => closed.push(Date.now()));
  await Promise.all(sockets.map((ws) => ws.heard.event('pusher:connection_established')));
  const began = Date.now();
  await server.stop();
  await Promise.all(sockets.map((ws) => ws.heard.event('close')));
  const took = closed.at(-1) - closed[0];
  assert.ok(took > 300, `all goodbyes came within ${took} ms, want them spread over a second`);
  assert.ok(closed.at(-1) - began < 3_000, `the last goodbye came after ${closed.at(-1) - began} ms`);
});

scenario('a member whose server was killed is there once after it came back', async (t) => {
  const port = await freePort();
  const server = await onPort(t, port);
  const backend = await start(http(server, main), t);
  const client = pusher(t, server, main, { backend, user: 'ada' });
  const room = await subscribed(client, channel('presence-'));
  await server.stop('SIGKILL');
  await onPort(t, port);
  await room.heard.count('pusher:subscription_succeeded', 2);
  assert.equal(room.members.count, 1);
  assert.equal(room.members.me.id, 'ada');
});

scenario('a server that stops takes no new clients, and sends none into a loop', async (t) => {
  const server = await onPort(t, 0, { server: { drain_timeout: '1s' } });
  const witness = pusher(t, server, main);
  await connected(witness);
  server.signal('SIGTERM');
  await witness.heard.event('error');
  await server.exited;
  // It tries again at once after 4200, then once a second: not thousands of times.
  const attempts = witness.heard.data('state_change').filter((s) => s.current === 'connecting').length;
  assert.ok(attempts <= 3, `the client tried ${attempts} times`);
});
