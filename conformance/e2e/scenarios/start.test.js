// The ways to start a server, each with the credentials that its user has.

import assert from 'node:assert/strict';

import { connected, http, pusher, subscribed } from '../lib/clients.js';
import { channel, scenario } from '../lib/scenario.js';
import { Server, app, freePort } from '../lib/server.js';
import { fail } from '../lib/wait.js';

async function started(t, options) {
  const server = await Server.start(options);
  t.after(() => server.stop());
  return server;
}

// works checks that an app serves a client and its backend.
async function works(t, server, app) {
  const room = await subscribed(pusher(t, server, app), channel());
  await http(server, app).trigger(room.name, 'hello', { from: app.id });
  assert.deepEqual((await room.heard.event('hello')).data, { from: app.id });
}

// printed reads the .env lines that a server prints for the app it made up.
function printed(output) {
  const value = (name) =>
    new RegExp(`^\\s*(?:PUSHER|REVERB)_APP_${name}="?([^"\\s]+)"?\\s*$`, 'm').exec(output)?.[1] ??
    fail(`the server printed no ${name} for .env:\n${output}`);
  return { id: value('ID'), key: value('KEY'), secret: value('SECRET') };
}

scenario('with nothing configured, what the server prints is all that a client needs', async (t) => {
  const server = await started(t, { args: ['--port', '0'] });
  await works(t, server, printed(server.output));
});

scenario('every start makes up credentials of its own', async (t) => {
  const [a, b] = await Promise.all([1, 2].map(() => started(t, { args: ['--port=0'], env: { REVURB_ADMIN_LISTEN: '' } })));
  const [x, y] = [printed(a.output), printed(b.output)];
  assert.notEqual(x.key, y.key);
  assert.notEqual(x.secret, y.secret);
  await works(t, a, x);
});

scenario('the .env of a Laravel app is enough, unchanged', async (t) => {
  const port = await freePort();
  const server = await started(t, {
    env: {
      BROADCAST_CONNECTION: 'reverb',
      REVERB_APP_ID: '256980',
      REVERB_APP_KEY: 'hzz3ofslvc2sr4pmvsub',
      REVERB_APP_SECRET: 'w5zkd1gl7qkxxmbppybd',
      REVERB_HOST: 'localhost',
      REVERB_PORT: String(port),
      REVERB_SCHEME: 'http',
      REVERB_SERVER_HOST: '127.0.0.1',
      REVERB_SERVER_PORT: String(port),
      VITE_REVERB_APP_KEY: 'hzz3ofslvc2sr4pmvsub',
    },
  });
  assert.equal(server.port, port);
  await works(t, server, { id: '256980', key: 'hzz3ofslvc2sr4pmvsub', secret: 'w5zkd1gl7qkxxmbppybd' });
});

scenario('REVERB_SERVER_PATH puts clients and API under a path', async (t) => {
  const server = await started(t, {
    env: {
      REVERB_APP_ID: '1', REVERB_APP_KEY: 'k1', REVERB_APP_SECRET: 's1',
      REVERB_SERVER_HOST: '127.0.0.1', REVERB_SERVER_PORT: '0', REVERB_SERVER_PATH: '/realtime',
    },
  });
  server.path = '/realtime';
  await works(t, server, { id: '1', key: 'k1', secret: 's1' });
});

scenario('a configuration file has several apps, each with its own clients', async (t) => {
  const apps = [app('one'), app('two', { dialect: 'reverb' })];
  const server = await started(t, { config: { apps } });
  for (const a of apps) await works(t, server, a);
});

scenario('a flag is stronger than the file', async (t) => {
  const port = await freePort();
  const server = await started(t, { config: { apps: [app('one')] }, args: ['--port', String(port)] });
  assert.equal(server.port, port);
  await connected(pusher(t, server, app('one')));
});
