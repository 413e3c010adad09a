// Plugins that are replaced while the server serves.

import assert from 'node:assert/strict';
import { copyFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { http, pusher, subscribed } from '../lib/clients.js';
import { dir, hooks, plugin } from '../lib/plugins.js';
import { channel, scenario } from '../lib/scenario.js';
import { Server, app, freePort } from '../lib/server.js';

const crowd = 1000;

const main = app('main', { client_event_rate: 0 });

// deployed is a server with one plugin, and what an operator does with both.
// The plugin either redacts a word or adds the time, by the file that is there.
async function deployed(t, keys = {}) {
  const home = await mkdtemp(join(tmpdir(), 'revurb-e2e-plugins-'));
  t.after(() => rm(home, { recursive: true, force: true }));
  const path = join(home, 'guard.wasm');
  await copyFile(join(dir, 'moderation.wasm'), path);
  const admin = `127.0.0.1:${await freePort()}`;
  const server = await Server.start({
    config: {
      apps: [main],
      hooks,
      admin: { listen: admin },
      log: { format: 'json' },
      plugins: [plugin('guard', {
        path, hooks: ['on_message'], capabilities: ['config', 'clock'], config: { words: ['darn'] }, ...keys,
      })],
    },
  });
  t.after(() => server.stop());
  return {
    server,

    /** Puts another file in place of the plugin's, at once. */
    async replace(write) {
      await write(`${path}.new`);
      await rename(`${path}.new`, path);
    },

    reload: () => fetch(`http://${admin}/plugins/reload`, { method: 'POST' }),
  };
}

const built = (name) => (path) => copyFile(join(dir, `${name}.wasm`), path);
const broken = (path) => writeFile(path, 'no plugin at all');

// verdict tells by an event's data which of the files has seen it.
function verdict({ text, server_ts }) {
  if (text === '****' && server_ts === undefined) return 'moderation';
  if (text === 'darn' && server_ts > 0) return 'enrich';
  return `nobody: ${text}, ${server_ts}`;
}

scenario(`a plugin is replaced under ${crowd} clients: none is disconnected, and no event is lost or doubled`, async (t) => {
  const { server, replace, reload } = await deployed(t);
  const sdk = http(server, main);
  const name = channel('private-');
  const customHandler = ({ socketId, channelName }, callback) =>
    callback(null, sdk.authorizeChannel(socketId, channelName));
  const rooms = [];
  while (rooms.length < crowd) { // not all in one breath, as no crowd comes
    const more = Array.from({ length: 100 }, () => pusher(t, server, main, { channelAuthorization: { customHandler } }));
    rooms.push(...await Promise.all(more.map((c) => subscribed(c, name))));
  }
  const ids = rooms.map((room) => room.pusher.connection.socket_id);
  const [sender, witness] = rooms;

  // Both the backend and a client send events until the change is over, and once
  // more.
  let sent = 0;
  const publish = async () => {
    const data = { n: sent++, text: 'darn' };
    await sdk.trigger(name, 'said', data);
    sender.trigger('client-said', data);
    await witness.heard.count('client-said', sent);
  };
  const during = async (change) => {
    let over = false;
    const changed = change.finally(() => {
      over = true;
    });
    while (!over) await publish();
    await publish();
    return changed;
  };
  const now = () => verdict(witness.heard.data('said').at(-1));
  const hangup = (said) => {
    server.signal('SIGHUP');
    return server.said(said);
  };

  await publish();
  assert.equal(now(), 'moderation');

  await replace(built('enrich'));
  await during(hangup(/"replaced":\["guard"\]/));
  assert.equal(now(), 'enrich');

  await replace(broken);
  await during(hangup(/stay as they were[^\n]*plugin guard/));
  assert.equal(now(), 'enrich');
  const refused = await during(reload());
  assert.equal(refused.status, 422);
  assert.match((await refused.json()).error, /plugin guard .*guard\.wasm/);
  assert.equal(now(), 'enrich');

  await replace(built('moderation'));
  const response = await during(reload());
  assert.equal(response.status, 200);
  assert.deepEqual((await response.json()).replaced, ['guard']);
  assert.equal(now(), 'moderation');

  await sdk.trigger(name, 'last', {});
  await Promise.all(rooms.map((room) => room.heard.event('last')));
  const want = Array.from({ length: sent }, (_, n) => n);
  for (const [i, room] of rooms.entries()) {
    const states = room.pusher.heard.events.filter((e) => e !== 'message');
    assert.deepEqual(states, ['state_change', 'connected'], `client ${i}`);
    assert.equal(room.pusher.connection.socket_id, ids[i]);
    for (const event of room === sender ? ['said'] : ['said', 'client-said']) {
      const heard = room.heard.data(event);
      assert.deepEqual(heard.map((d) => d.n), want, `client ${i}: ${event}`);
      // Each file has its time, and no event is seen by none.
      const turns = heard.map(verdict).filter((v, n, all) => v !== all[n - 1]);
      assert.deepEqual(turns, ['moderation', 'enrich', 'moderation'], `client ${i}: ${event}`);
    }
  }
  assert.doesNotMatch(server.output, /plugin has failed/);
  t.diagnostic(`${2 * sent} events for ${crowd} clients`);
}, { timeout: 300_000 });

scenario('a plugin that is watched is replaced when its file is', async (t) => {
  const { server, replace } = await deployed(t, { watch: true });
  const sdk = http(server, main);
  const client = pusher(t, server, main);
  const name = channel();
  const room = await subscribed(client, name);
  const said = async (nth) => {
    await sdk.trigger(name, 'said', { text: 'darn' });
    return verdict((await room.heard.event('said', nth)).data);
  };
  await replace(broken);
  await server.said(/the one before stays/);
  assert.equal(await said(1), 'moderation');
  await replace(built('enrich'));
  await server.said(/changed and was loaded again/);
  assert.equal(await said(2), 'enrich');
});
