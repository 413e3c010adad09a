// Two nodes that share a Redis: their clients do not notice that there are two.

import assert from 'node:assert/strict';
import { after } from 'node:test';

import { backend as start } from '../lib/backend.js';
import { Balancer } from '../lib/balancer.js';
import { connected, hear, http, pusher, subscribed } from '../lib/clients.js';
import { Receiver } from '../lib/receiver.js';
import { redis } from '../lib/redis.js';
import { channel, scenario } from '../lib/scenario.js';
import { Server, app } from '../lib/server.js';
import { eventually } from '../lib/wait.js';

const receiver = await Receiver.start();
const main = app('main', { webhooks: [{ url: receiver.url }] });
const shared = await redis();

// node is one more server of the cluster. A lease that is short has the others
// see soon that it is dead.
async function node(scenario = { after }) {
  const server = await Server.start({
    config: { apps: [main], redis: { url: shared.url, lease: '10s' }, webhooks: { allow: ['127.0.0.0/8'] } },
  });
  scenario.after(() => server.stop());
  return server;
}

const a = await node();
const b = await node();
after(() => shared.stop()); // after the nodes, which say goodbye to one another
const sdks = [http(a, main), http(b, main)];
receiver.verifiedBy(sdks[0]);
const backend = await start(sdks[0]);

const user = (t, name, at) => pusher(t, at, main, { backend, user: name });
const members = (room) => Object.keys(room.members.members).sort();

// signed is a client that signs in as a user.
function signed(t, id, at) {
  const client = pusher(t, at, main, {
    userAuthentication: {
      customHandler: ({ socketId }, callback) => callback(null, sdks[0].authenticateUser(socketId, { id })),
    },
  });
  client.mail = hear(client.user, `the user ${id}`);
  client.signin();
  return client;
}

async function signedIn(client) {
  await eventually(() => client.user.serverToUserChannel?.subscribed, Boolean, 'the channel of the user');
  return client;
}

// told is how often the backend was told of an event in a channel.
const told = (event, name) => receiver.heard.data(event).filter((e) => e.channel === name).length;
const tell = (event, name) => receiver.heard.find((e) => e.event === event && e.data.channel === name, `${event} of ${name}`);

scenario('an event reaches the clients of both nodes, whichever took it', async (t) => {
  const name = channel();
  const rooms = [await subscribed(pusher(t, a, main), name), await subscribed(pusher(t, b, main), name)];
  for (const [i, sdk] of sdks.entries()) {
    await sdk.trigger(name, 'news', { from: i });
    for (const room of rooms) assert.deepEqual((await room.heard.event('news', i + 1)).data, { from: i });
  }
});

scenario('whoever is left out gets nothing, though the event was published at the other node', async (t) => {
  const name = channel();
  const client = pusher(t, a, main);
  const mine = await subscribed(client, name);
  const other = await subscribed(pusher(t, b, main), name);
  await sdks[1].trigger(name, 'to-others', {}, { socket_id: await connected(client) });
  await sdks[1].trigger(name, 'to-all', {});
  await mine.heard.event('to-all');
  await other.heard.event('to-all');
  assert.deepEqual(other.heard.data('to-others'), [{}]);
  assert.deepEqual(mine.heard.data('to-others'), []);
});

scenario('a client event reaches the other node, and does not come back', async (t) => {
  const name = channel('private-');
  const ada = await subscribed(user(t, 'ada', a), name);
  const bob = await subscribed(user(t, 'bob', b), name);
  ada.trigger('client-typing', { text: 'é' });
  assert.deepEqual((await bob.heard.event('client-typing')).data, { text: 'é' });
  await sdks[1].trigger(name, 'last', {});
  await ada.heard.event('last');
  assert.deepEqual(ada.heard.data('client-typing'), []);
});

scenario('members of both nodes see one another, and a user on both is one member', async (t) => {
  const name = channel('presence-');
  const ada = await subscribed(user(t, 'ada', a), name);
  const bob = await subscribed(user(t, 'bob', b), name);
  assert.deepEqual(members(bob), ['ada', 'bob']);
  assert.deepEqual((await ada.heard.event('pusher:member_added')).data, { id: 'bob', info: { name: 'bob' } });

  const again = user(t, 'bob', a);
  assert.deepEqual(members(await subscribed(again, name)), ['ada', 'bob']);
  for (const sdk of sdks) {
    const { users } = await (await sdk.get({ path: `/channels/${name}/users` })).json();
    assert.deepEqual(users.map(({ id }) => id).sort(), ['ada', 'bob']);
  }
  again.disconnect();
  await sdks[0].trigger(name, 'fence', {});
  await ada.heard.event('fence');
  bob.pusher.disconnect();
  await ada.heard.event('pusher:member_removed');
  assert.deepEqual(members(ada), ['ada']);
  assert.equal(ada.heard.data('pusher:member_added').length, 1);
  assert.equal(ada.heard.data('pusher:member_removed').length, 1);
});

scenario('what is sent to a user reaches both nodes, and terminating ends the user on both', async (t) => {
  const tabs = [await signedIn(signed(t, 'ada', a)), await signedIn(signed(t, 'ada', b))];
  for (const [i, sdk] of sdks.entries()) {
    await sdk.sendToUser('ada', 'mail', { from: i });
    for (const tab of tabs) assert.deepEqual((await tab.mail.event('mail', i + 1)).data, { from: i });
  }
  await sdks[1].terminateUserConnections('ada');
  for (const tab of tabs) {
    await tab.heard.find((e) => e.event === 'state_change' && e.data.current === 'disconnected', 'its end');
  }
});

scenario('a cache channel replays at one node what was published at the other', async (t) => {
  const name = channel('cache-');
  await sdks[0].trigger(name, 'price', { eur: 1 });
  const room = await subscribed(pusher(t, b, main), name);
  assert.deepEqual((await room.heard.event('price')).data, { eur: 1 });
});

scenario('the members of a node that is killed leave, each once', async (t) => {
  const dying = await node(t);
  const name = channel('presence-');
  const ada = await subscribed(user(t, 'ada', a), name);
  const bob = await subscribed(user(t, 'bob', b), name);
  const lost = ['u0', 'u1', 'u2', 'u3', 'u4'];
  const clients = lost.map((who) => user(t, who, dying));
  for (const client of clients) await subscribed(client, name);
  await ada.heard.count('pusher:member_added', 1 + lost.length);
  await dying.stop('SIGKILL');
  for (const room of [ada, bob]) {
    await room.heard.count('pusher:member_removed', lost.length);
    assert.deepEqual(members(room), ['ada', 'bob']);
  }
  await sdks[0].trigger(name, 'last', {});
  for (const room of [ada, bob]) {
    await room.heard.event('last');
    assert.deepEqual(room.heard.data('pusher:member_removed').map(({ id }) => id).sort(), lost);
  }
});

scenario('when a node is restarted its clients go to the other, and the backend is not told', async (t) => {
  const leaving = await node(t);
  const balancer = await Balancer.start(t);
  balancer.use(leaving);
  const name = channel('presence-');
  const client = user(t, 'ada', balancer);
  const room = await subscribed(client, name);
  await tell('member_added', name);
  balancer.use(b);
  await Promise.all([leaving.stop(), room.heard.event('pusher:subscription_succeeded', 2)]);
  assert.deepEqual(members(room), ['ada']);
  await sdks[0].trigger(name, 'news', {});
  await room.heard.event('news');

  // Of a channel that is left only now the backend is told later than it would
  // have been of this one.
  const next = channel();
  const other = pusher(t, a, main);
  await subscribed(other, next);
  await tell('channel_occupied', next); // of who is gone at once nobody need hear
  other.disconnect();
  await tell('channel_vacated', next);
  for (const [event, times] of [['channel_occupied', 1], ['member_added', 1], ['channel_vacated', 0], ['member_removed', 0]]) {
    assert.equal(told(event, name), times, `${event} of ${name}`);
  }
  assert.deepEqual(receiver.heard.data('invalid'), []);
});
