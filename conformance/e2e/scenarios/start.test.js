// The ways to start a server, each with the credentials that its user has.

import assert from 'node:assert/strict';

import Pusher from 'pusher-js';
import PusherHTTP from 'pusher';

import { connected, hangUp, hear, http, pusher, subscribed } from '../lib/clients.js';
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

// pasted does with what a server prints what its reader does: the one line
// goes into a script, the others into a .env file.
async function pasted(t, server) {
  await server.said(/^ *REVERB_SCHEME=\S+$/m);
  const { output } = server;
  const line = /^ *(new Pusher\(.*\));?$/m.exec(output)?.[1] ?? fail(`the server printed no line for pusher-js:\n${output}`);
  const client = new Function('Pusher', `return ${line}`)(Pusher);
  t.after(() => hangUp(client));
  client.heard = hear(client.connection, 'the connection');

  const env = Object.fromEntries([...output.matchAll(/^ *([A-Z_]+)=(\S*)$/gm)].map(([, name, value]) => [name, value]));
  const sdk = new PusherHTTP({
    appId: env.REVERB_APP_ID,
    key: env.REVERB_APP_KEY,
    secret: env.REVERB_APP_SECRET,
    host: env.REVERB_HOST,
    port: env.REVERB_PORT,
    scheme: env.REVERB_SCHEME,
  });
  return { client, env, sdk };
}

scenario('with nothing configured, what the server prints is all that a client needs', async (t) => {
  const server = await started(t, { args: ['--port', '0'], env: { REVURB_ADMIN_LISTEN: '' } });
  const { client, sdk } = await pasted(t, server);
  const room = await subscribed(client, channel());
  await sdk.trigger(room.name, 'hello', { n: 1 });
  assert.deepEqual((await room.heard.event('hello')).data, { n: 1 });
});

scenario('every start makes up credentials of its own', async (t) => {
  const servers = await Promise.all([1, 2].map(() => started(t, { args: ['--port=0'], env: { REVURB_ADMIN_LISTEN: '' } })));
  const [a, b] = await Promise.all(servers.map(async (s) => (await pasted(t, s)).env));
  for (const name of ['REVERB_APP_ID', 'REVERB_APP_KEY', 'REVERB_APP_SECRET']) {
    assert.ok(a[name], `${name} is not printed`);
    assert.notEqual(a[name], b[name], name);
  }
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
