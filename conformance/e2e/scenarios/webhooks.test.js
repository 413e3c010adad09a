// Webhooks, verified by the pusher SDK.

import assert from 'node:assert/strict';

import { backend as start } from '../lib/backend.js';
import { http, pusher, subscribed } from '../lib/clients.js';
import { channel, scenario } from '../lib/scenario.js';
import { app, serve } from '../lib/server.js';
import { Receiver } from '../lib/receiver.js';

const receiver = await Receiver.start();
const failing = await Receiver.start();
const existence = await Receiver.start();

const main = app('main', {
  webhooks: [{ url: receiver.url }, { url: existence.url, events: ['channel_existence'], channels: ['private-*'] }],
});
const unlucky = app('unlucky', { webhooks: [{ url: failing.url }] });

const server = await serve([main, unlucky], { webhooks: { allow: ['127.0.0.0/8'] } });
const sdk = http(server, main);
receiver.verifiedBy(sdk);
existence.verifiedBy(sdk);
failing.verifiedBy(http(server, unlucky));
const backend = await start(sdk);

const user = (t, name) => pusher(t, server, main, { backend, user: name });

// told waits for the backend to hear of an event in a channel.
const told = async (at, event, name) => {
  const { data } = await at.heard.find((e) => e.event === event && e.data.channel === name, `${event} of ${name}`);
  return data;
};

scenario('the SDK verifies what it is told', async (t) => {
  const ada = user(t, 'ada');
  const room = await subscribed(ada, channel('presence-'));
  await told(receiver, 'channel_occupied', room.name);
  const added = await told(receiver, 'member_added', room.name);
  assert.equal(added.user_id, 'ada');
  assert.ok(Math.abs(Date.now() - added.time.getTime()) < 600_000, `time is ${added.time}`);

  room.trigger('client-typing', { text: 'é <b>' });
  const sent = await told(receiver, 'client_event', room.name);
  assert.equal(sent.event, 'client-typing');
  assert.deepEqual(JSON.parse(sent.data), { text: 'é <b>' });
  assert.equal(sent.socket_id, ada.connection.socket_id);
  assert.equal(sent.user_id, 'ada');

  ada.disconnect();
  await told(receiver, 'member_removed', room.name);
  await told(receiver, 'channel_vacated', room.name);
  assert.deepEqual(receiver.heard.data('invalid'), []);
});

scenario('the SDK of another app does not', async (t) => {
  const room = await subscribed(user(t, 'ada'), channel());
  await told(receiver, 'channel_occupied', room.name);
  const { headers, body } = receiver.requests.find((r) => r.body.includes(`"${room.name}"`));
  assert.equal(http(server, unlucky).webhook({ headers, rawBody: body }).isValid(), false);
  assert.equal(sdk.webhook({ headers, rawBody: body + ' ' }).isValid(), false);
});

scenario('a URL hears what it asked for', async (t) => {
  const ada = user(t, 'ada');
  const open = await subscribed(ada, channel());
  const closed = await subscribed(ada, channel('private-'));
  closed.trigger('client-typing', {});
  await told(receiver, 'client_event', closed.name);
  ada.disconnect();
  await told(existence, 'channel_vacated', closed.name);
  assert.deepEqual(existence.heard.events, ['channel_occupied', 'channel_vacated']);
  assert.ok(existence.requests.every((r) => !r.body.includes(`"${open.name}"`)));
});

scenario('what was refused twice comes again, the same, after gaps that grow', async (t) => {
  failing.refuse(2);
  const room = await subscribed(pusher(t, server, unlucky), channel());
  await told(failing, 'channel_occupied', room.name);
  const tries = failing.requests.filter((r) => r.body.includes('channel_occupied'));
  assert.equal(tries.length, 3);
  for (const key of ['body', 'x-pusher-signature']) {
    assert.equal(new Set(tries.map((r) => r[key] ?? r.headers[key])).size, 1, `${key} differs`);
  }
  const [first, second] = [tries[1].at - tries[0].at, tries[2].at - tries[1].at];
  // One second and two, a fifth more or less; or more, on a busy machine.
  assert.ok(first > 790 && second > 1_590, `the gaps are ${first} ms and ${second} ms`);
});
