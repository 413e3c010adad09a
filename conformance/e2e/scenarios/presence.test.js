// Presence channels: who is there, and who is told.

import assert from 'node:assert/strict';

import { backend as start } from '../lib/backend.js';
import { hear, http, pusher, subscribed } from '../lib/clients.js';
import { channel, scenario } from '../lib/scenario.js';
import { app, freePort, serve } from '../lib/server.js';
import { eventually } from '../lib/wait.js';

const main = app('main');
const small = app('small', { max_presence_members: 2 });
const admin = `127.0.0.1:${await freePort()}`;
const server = await serve([main, small], { admin: { listen: admin } });
const sdk = http(server, main);
const backend = await start(sdk);
const smallBackend = await start(http(server, small));

const user = (t, name, more) => pusher(t, server, main, { backend, user: name, ...more });
const members = (room) => Object.keys(room.members.members).sort();

// signed is a client for whom the backend signs this member.
const signed = (t, member) =>
  pusher(t, server, main, {
    channelAuthorization: {
      customHandler: ({ socketId, channelName }, callback) =>
        callback(null, sdk.authorizeChannel(socketId, channelName, member)),
    },
  });

scenario('the first member finds itself', async (t) => {
  const room = await subscribed(user(t, 'ada'), channel('presence-'));
  assert.equal(room.members.count, 1);
  assert.deepEqual(room.members.me, { id: 'ada', info: { name: 'ada' } });
});

scenario('a member finds those who are there, and they hear of it', async (t) => {
  const name = channel('presence-');
  const ada = await subscribed(user(t, 'ada'), name);
  const bob = await subscribed(user(t, 'bob'), name);
  assert.deepEqual(members(bob), ['ada', 'bob']);
  assert.deepEqual((await ada.heard.event('pusher:member_added')).data, { id: 'bob', info: { name: 'bob' } });
  assert.deepEqual(members(ada), ['ada', 'bob']);
  assert.deepEqual(bob.heard.data('pusher:member_added'), []);
});

scenario('members hear of one who unsubscribes', async (t) => {
  const name = channel('presence-');
  const ada = await subscribed(user(t, 'ada'), name);
  const client = user(t, 'bob');
  await subscribed(client, name);
  client.unsubscribe(name);
  assert.equal((await ada.heard.event('pusher:member_removed')).data.id, 'bob');
  assert.deepEqual(members(ada), ['ada']);
});

scenario('members hear of one who disconnects', async (t) => {
  const name = channel('presence-');
  const ada = await subscribed(user(t, 'ada'), name);
  const client = user(t, 'bob');
  await subscribed(client, name);
  client.disconnect();
  assert.equal((await ada.heard.event('pusher:member_removed')).data.id, 'bob');
});

scenario('a second tab of a user is no news, and neither is its end', async (t) => {
  const name = channel('presence-');
  const ada = await subscribed(user(t, 'ada'), name);
  const tabs = [user(t, 'bob'), user(t, 'bob')];
  await subscribed(tabs[0], name);
  const second = await subscribed(tabs[1], name);
  assert.equal(second.members.count, 2);
  tabs[0].disconnect();
  await eventually(
    async () => (await (await sdk.get({ path: `/channels/${name}`, params: { info: 'subscription_count' } })).json()).subscription_count,
    (n) => n === 2,
    'the first tab to be gone',
  );
  await subscribed(user(t, 'eve'), name);
  await ada.heard.find((e) => e.event === 'pusher:member_added' && e.data.id === 'eve', 'eve');
  assert.deepEqual(ada.heard.data('pusher:member_added').map((m) => m.id), ['bob', 'eve']);
  assert.deepEqual(ada.heard.data('pusher:member_removed'), []);

  tabs[1].disconnect();
  assert.equal((await ada.heard.event('pusher:member_removed')).data.id, 'bob');
});

scenario('a member without user_info is there like any other', async (t) => {
  const name = channel('presence-');
  const ada = await subscribed(user(t, 'ada'), name);
  const plain = await subscribed(signed(t, { user_id: 'plain' }), name);
  assert.equal((await ada.heard.event('pusher:member_added')).data.id, 'plain');
  assert.equal(plain.members.me.id, 'plain');
  const late = await subscribed(user(t, 'late'), name);
  assert.deepEqual(members(late), ['ada', 'late', 'plain']);
});

scenario('a user ID that is a number is the same user as its text', async (t) => {
  const name = channel('presence-');
  const first = await subscribed(signed(t, { user_id: 7, user_info: { n: 1 } }), name);
  const second = await subscribed(signed(t, { user_id: '7', user_info: { n: 1 } }), name);
  assert.equal(second.members.count, 1);
  const { users } = await (await sdk.get({ path: `/channels/${name}/users` })).json();
  assert.deepEqual(users, [{ id: '7' }]);
  assert.deepEqual(first.heard.data('pusher:member_added'), []);
});

scenario('a member without a user ID is refused', async (t) => {
  const client = signed(t, { user_info: {} });
  const room = client.subscribe(channel('presence-'));
  room.heard = hear(room);
  assert.equal((await room.heard.event('pusher:subscription_error')).data.type, 'AuthError');
});

scenario('a full channel refuses one more user, but not another tab', async (t) => {
  const join = (name) => pusher(t, server, small, { backend: smallBackend, user: name });
  const name = channel('presence-');
  await subscribed(join('ada'), name);
  await subscribed(join('bob'), name);
  const room = join('eve').subscribe(name);
  room.heard = hear(room);
  const { data } = await room.heard.event('pusher:subscription_error');
  assert.equal(data.status, 400);
  assert.match(data.error, /full/);
  assert.equal((await subscribed(join('bob'), name)).members.count, 2);
});

scenario('the same user is in two channels, and leaves one', async (t) => {
  const [here, there] = [channel('presence-'), channel('presence-')];
  const ada = await subscribed(user(t, 'ada'), here);
  const client = user(t, 'bob');
  await subscribed(client, here);
  await subscribed(client, there);
  client.unsubscribe(here);
  await ada.heard.event('pusher:member_removed');
  const { users } = await (await sdk.get({ path: `/channels/${there}/users` })).json();
  assert.deepEqual(users, [{ id: 'bob' }]);
});

scenario('nothing is left when all have gone', async (t) => {
  const name = channel('presence-');
  const clients = ['ada', 'bob', 'eve'].map((u) => user(t, u));
  await Promise.all(clients.map((c) => subscribed(c, name)));
  for (const c of clients) c.disconnect();
  await eventually(
    async () => (await (await sdk.get({ path: '/connections' })).json()).connections,
    (n) => n === 0,
    'no connection',
  );
  assert.deepEqual(await (await sdk.get({ path: '/channels' })).json(), { channels: {} });
  assert.deepEqual(await (await sdk.get({ path: `/channels/${name}/users` })).json(), { users: [] });
  const metrics = await (await fetch(`http://${admin}/metrics`)).text();
  const gauges = metrics.split('\n').filter((l) => /^revurb_(connections|subscriptions|channels)\{/.test(l) && l.includes(main.id));
  assert.notEqual(gauges.length, 0, metrics);
  for (const line of gauges) assert.match(line, / 0$/);
});
