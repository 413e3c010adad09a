// pusher-js in Chromium, on a page that a backend serves.

import assert from 'node:assert/strict';
import { after } from 'node:test';

import { chromium } from 'playwright-core';

import { backend as start } from '../lib/backend.js';
import { Balancer } from '../lib/balancer.js';
import { http, options } from '../lib/clients.js';
import { channel, scenario } from '../lib/scenario.js';
import { Server, app, serve } from '../lib/server.js';
import { patience } from '../lib/wait.js';

const main = app('main');
const homely = app('homely', { allowed_origins: ['localhost'] });
const server = await serve([main, homely]);
const sdk = http(server, main);
const backend = await start(sdk);

const browser = await chromium.launch({
  timeout: patience,
  executablePath: process.env.REVURB_CHROMIUM,
  args: [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
});
after(() => browser.close());

// page opens the backend's page in a browser window of its own, connects a
// client there as window.client, and keeps what it hears in window.heard.
async function page(t, { app = main, at = server, host = '127.0.0.1', user = 'ada' } = {}) {
  const context = await browser.newContext();
  t.after(() => context.close());
  const p = await context.newPage();
  p.setDefaultTimeout(patience);
  await p.goto(`http://${host}:${backend.port}/`);
  await p.evaluate(
    ([key, options, user]) => {
      window.heard = [];
      window.client = new Pusher(key, {
        ...options,
        channelAuthorization: { endpoint: '/broadcasting/auth', headers: { Authorization: `Bearer ${user}` } },
      });
      const keep = (source) => (event, data) => heard.push({ source, event, data: JSON.stringify(data) });
      client.connection.bind_global(keep('connection'));
      window.subscribe = (name) => {
        const ch = client.subscribe(name);
        ch.bind_global(keep(name));
      };
    },
    [app.key, options(at), user],
  );
  return p;
}

// heard waits until a page has heard an event for the nth time, and returns
// its data.
async function heard(p, source, event, nth = 1) {
  const handle = await p.waitForFunction(
    ([source, event, nth]) => window.heard.filter((e) => e.source === source && e.event === event)[nth - 1],
    [source, event, nth],
  );
  const { data } = await handle.jsonValue();
  return data === undefined ? undefined : JSON.parse(data);
}

async function subscribed(p, name) {
  await p.evaluate((name) => subscribe(name), name);
  await heard(p, name, 'pusher:subscription_succeeded');
}

scenario('a page subscribes and hears an event of the SDK', async (t) => {
  const p = await page(t);
  const name = channel();
  await subscribed(p, name);
  await sdk.trigger(name, 'greeting', { text: 'hello, page 👋' });
  assert.deepEqual(await heard(p, name, 'greeting'), { text: 'hello, page 👋' });
});

scenario('a page reads an encrypted event', async (t) => {
  const p = await page(t);
  const name = channel('private-encrypted-');
  await subscribed(p, name);
  await sdk.trigger(name, 'sealed', { n: 1 });
  assert.deepEqual(await heard(p, name, 'sealed'), { n: 1 });
});

scenario('two pages see each other come, whisper and go', async (t) => {
  const name = channel('presence-');
  const ada = await page(t, { user: 'ada' });
  await subscribed(ada, name);
  const bob = await page(t, { user: 'bob' });
  await subscribed(bob, name);
  assert.equal((await heard(ada, name, 'pusher:member_added')).id, 'bob');

  await bob.evaluate((name) => client.channel(name).trigger('client-wave', { hi: 1 }), name);
  assert.deepEqual(await heard(ada, name, 'client-wave'), { hi: 1 });

  await bob.close(); // as a user closes a tab, without a word to the server
  assert.equal((await heard(ada, name, 'pusher:member_removed')).id, 'bob');
});

scenario('a page of an allowed origin connects', async (t) => {
  const p = await page(t, { app: homely, host: 'localhost' });
  await heard(p, 'connection', 'connected');
});

scenario('a page of another origin is refused with 4009, for good', async (t) => {
  const p = await page(t, { app: homely, host: '127.0.0.1' });
  const error = await heard(p, 'connection', 'error');
  assert.equal(error.error.data.code, 4009);
  await heard(p, 'connection', 'disconnected');
  assert.equal(await p.evaluate(() => client.connection.state), 'disconnected');
});

scenario('a page comes back when its server is replaced', async (t) => {
  const balancer = await Balancer.start(t);
  const started = async () => {
    const s = await Server.start({ config: { apps: [main] } });
    t.after(() => s.stop());
    balancer.use(s);
    return s;
  };
  const old = await started();
  const p = await page(t, { at: balancer });
  const name = channel();
  await subscribed(p, name);
  const next = await started();
  await old.stop();
  await heard(p, name, 'pusher:subscription_succeeded', 2);
  await http(next, main).trigger(name, 'back', {});
  await heard(p, name, 'back');
});
