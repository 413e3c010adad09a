// Users: signing in, what is sent to a user, who of one's friends is online, and
// how a backend throws somebody out.

import assert from 'node:assert/strict';

import { connected, http, pusher, subscribed } from '../lib/clients.js';
import { channel, scenario } from '../lib/scenario.js';
import { app, serve } from '../lib/server.js';
import { eventually, Heard } from '../lib/wait.js';

const main = app('main');
const counting = app('counting', { subscription_count: true });
const strict = app('strict', { authorized_connections_only: true, authorization_timeout: '5s' });
const server = await serve([main, counting, strict]);
const sdk = http(server, main);

let users = 0;
const name = (who) => `${who}-${++users}`;

// user is a client for whom the backend signs this user, and which has heard of
// its friends from the start.
function user(t, id, { watchlist, backend = sdk, of = main, ...info } = {}) {
  const client = pusher(t, server, of, {
    userAuthentication: {
      customHandler: ({ socketId }, callback) =>
        callback(null, backend.authenticateUser(socketId, { id, user_info: info, ...(watchlist && { watchlist }) })),
    },
    channelAuthorization: {
      customHandler: ({ socketId, channelName }, callback) => callback(null, backend.authorizeChannel(socketId, channelName)),
    },
  });
  client.friends = new Heard(`the watchlist of ${id}`);
  client.user.watchlist.bind_global((event, { user_ids }) => client.friends.add(event, user_ids));
  client.mail = new Heard(`the user ${id}`);
  client.user.bind_global((event, data) => client.mail.add(event, data));
  client.signin();
  return client;
}

async function signedIn(client) {
  await client.user.signinDonePromise;
  assert.ok(client.user.user_data, 'the client is not signed in');
  // The client is subscribed to the channel of its user when this is answered.
  await eventually(() => client.user.serverToUserChannel?.subscribed, Boolean, 'the channel of the user');
  return client;
}

scenario('a client signs in, with the very data that the backend signed', async (t) => {
  const id = name('ada');
  const ada = await signedIn(user(t, id, { name: 'Ada & "co" </a> \u2603' }));
  assert.deepEqual(ada.user.user_data, { id, user_info: { name: 'Ada & "co" </a> \u2603' } });
});

scenario('what a backend sends to a user reaches all its clients, and nobody else', async (t) => {
  const id = name('ada');
  const tabs = [user(t, id), user(t, id)];
  const bob = await signedIn(user(t, name('bob')));
  for (const tab of tabs) await signedIn(tab);
  const response = await sdk.sendToUser(id, 'mail', { text: 'hello' });
  assert.equal(response.status, 200);
  for (const tab of tabs) assert.deepEqual((await tab.mail.event('mail')).data, { text: 'hello' });
  await sdk.sendToUser(bob.user.user_data.id, 'fence', {});
  await bob.mail.event('fence');
  assert.deepEqual(bob.mail.data('mail'), []);
});

scenario('a backend may send to a user who is not there', async () => {
  const response = await sdk.sendToUser(name('nobody'), 'mail', {});
  assert.equal(response.status, 200);
});

scenario('nobody who has not signed in can listen to a user', async (t) => {
  const id = name('ada');
  const eve = pusher(t, server, main);
  await connected(eve);
  eve.send_event('pusher:subscribe', { channel: `#server-to-user-${id}`, auth: '' });
  await eve.heard.event('error');
  await sdk.sendToUser(id, 'mail', {});
  const ch = await subscribed(eve, channel());
  await sdk.trigger(ch.name, 'fence', {});
  await ch.heard.event('fence');
  assert.ok(!eve.heard.events.includes('mail'));
});

scenario('who has signed in is a member without saying so again', async (t) => {
  const id = name('ada');
  const ada = await signedIn(user(t, id, { name: 'Ada' }));
  const room = await subscribed(ada, channel('presence-'));
  assert.deepEqual(room.members.me, { id, info: { name: 'Ada' } });
});

scenario('friends come online and go offline', async (t) => {
  const [a, b, c] = [name('ada'), name('bob'), name('carl')];
  const ada = await signedIn(user(t, a, { watchlist: [b, c] }));
  assert.deepEqual((await ada.friends.event('offline')).data, [b, c]);

  const bob = await signedIn(user(t, b, { watchlist: [a, c] }));
  assert.deepEqual((await ada.friends.event('online')).data, [b]);
  assert.deepEqual((await bob.friends.event('online')).data, [a]);
  assert.deepEqual((await bob.friends.event('offline')).data, [c]);

  const again = await signedIn(user(t, b));
  bob.disconnect(); // of two clients
  const carl = await signedIn(user(t, c));
  assert.deepEqual((await ada.friends.event('online', 2)).data, [c]);
  again.disconnect();
  assert.deepEqual((await ada.friends.event('offline', 2)).data, [b]);
  carl.disconnect();
  assert.deepEqual((await ada.friends.event('offline', 3)).data, [c]);
  assert.deepEqual(ada.friends.events, ['offline', 'online', 'online', 'offline', 'offline']);
});

scenario('a backend throws a user out, who does not come back', async (t) => {
  const id = name('ada');
  const tabs = [await signedIn(user(t, id)), await signedIn(user(t, id))];
  const bob = await signedIn(user(t, name('bob')));
  const response = await sdk.terminateUserConnections(id);
  assert.equal(response.status, 200);
  for (const tab of tabs) {
    await tab.heard.find((e) => e.event === 'state_change' && e.data.current === 'disconnected', 'its end');
    const errors = tab.heard.data('error').map((e) => e.data?.code ?? e.error?.data?.code);
    assert.ok(errors.includes(4009), `the errors are ${errors}`);
  }
  await sdk.sendToUser(bob.user.user_data.id, 'fence', {});
  await bob.mail.event('fence');
  assert.equal(bob.connection.state, 'connected');
});

scenario('users with punctuation in their names are thrown out', async (t) => {
  const id = name('ada@example.com;a=b,c');
  const ada = await signedIn(user(t, id));
  await sdk.terminateUserConnections(id);
  await ada.heard.find((e) => e.event === 'state_change' && e.data.current === 'disconnected', 'its end');
});

scenario('subscribers are told how many they are', async (t) => {
  const room = channel();
  const ada = await subscribed(pusher(t, server, counting), room);
  await ada.heard.find((e) => e.event === 'pusher:subscription_count' && e.data.subscription_count === 1, 'a count of 1');
  const bob = pusher(t, server, counting);
  await subscribed(bob, room);
  await ada.heard.find((e) => e.event === 'pusher:subscription_count' && e.data.subscription_count === 2, 'a count of 2');
  assert.equal(ada.subscriptionCount, 2);
  bob.disconnect();
  await eventually(() => ada.subscriptionCount, (n) => n === 1, 'the count to be 1 again');
});

scenario('a client that the backend does not vouch for is cut off, where the app wants that', async (t) => {
  const signed = await signedIn(user(t, name('ada'), { of: strict, backend: http(server, strict) }));
  const idle = pusher(t, server, strict);
  await subscribed(idle, channel());
  await idle.heard.find((e) => e.event === 'state_change' && e.data.current === 'disconnected', 'its end');
  assert.equal(signed.connection.state, 'connected');
});
