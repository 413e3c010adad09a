// Plugins: what the operator's own code makes of what clients and backends do.

import assert from 'node:assert/strict';

import { backend as start } from '../lib/backend.js';
import { connected, echo, hear, http, pusher, socket, subscribed } from '../lib/clients.js';
import { jwt } from '../lib/jwt.js';
import { hooks, plugin } from '../lib/plugins.js';
import { channel, scenario } from '../lib/scenario.js';
import { app, serve } from '../lib/server.js';
import { eventually, Heard } from '../lib/wait.js';

// An app for each plugin, so that no scenario meets another one's.
const dialects = { pusher: app('token'), reverb: app('token-reverb', { dialect: 'reverb' }) };
const doors = { pusher: app('door'), reverb: app('door-reverb', { dialect: 'reverb' }) };
const closed = app('closed');
const chat = app('chat', { client_event_rate: 0 });
const quota = app('quota', { client_event_rate: 0 });
const stamped = app('stamped');
const both = app('both');
const audited = app('audited');

const apps = [...Object.values(dialects), ...Object.values(doors), closed, chat, quota, stamped, both, audited];
const ids = (...of) => of.map((a) => a.id);

const words = { words: ['darn'], deny: ['buy pills'], message: 'please be kind' };

const plugins = [
  plugin('jwt-auth', {
    apps: ids(...Object.values(dialects)),
    capabilities: ['config', 'hmac', 'clock'],
    authorize: { mode: 'replace' },
  }),
  plugin('door', { apps: ids(...Object.values(doors)) }),
  plugin('door', { name: 'closed', apps: ids(closed), config: { closed: 'back at noon' } }),
  plugin('moderation', { apps: ids(chat, both), config: words }),
  plugin('enrich', { apps: ids(stamped, both), capabilities: ['clock'] }),
  plugin('quota', { apps: ids(quota), capabilities: ['kv'], config: { per_minute: 3 } }),
  plugin('audit', { apps: ids(audited), capabilities: ['log', 'kv'] }),
];

const server = await serve(apps, { plugins, hooks, log: { format: 'json' } });

const backends = new Map();
for (const a of apps) backends.set(a, await start(http(server, a)));
const user = (t, a, name) => pusher(t, server, a, { backend: backends.get(a), user: name });

// bearer has a client authorize itself with a token, without asking anybody. In
// presence channels pusher-js wants to be told who it is.
const bearer = (token, sub) => ({
  channelAuthorization: {
    customHandler: (_, callback) =>
      callback(null, { auth: token, ...(sub && { channel_data: JSON.stringify({ user_id: sub }) }) }),
  },
});

// refusal subscribes and waits for the server to say no.
async function refusal(client, name) {
  const ch = client.subscribe(name);
  ch.heard = hear(ch);
  const { data } = await ch.heard.event('pusher:subscription_error');
  assert.equal(ch.subscribed, false);
  return data;
}

for (const [dialect, a] of Object.entries(dialects)) {
  const claim = (text, run) => scenario(`${dialect}: ${text}`, run);
  const token = (claims, ...more) => jwt(a.secret, claims, ...more);

  claim('a token is all that a private channel needs', async (t) => {
    const name = channel('private-');
    const client = pusher(t, server, a, bearer(token({ channels: [name] })));
    const ch = await subscribed(client, name);
    await http(server, a).trigger(name, 'order', { id: 1 });
    assert.deepEqual((await ch.heard.event('order')).data, { id: 1 });
  });

  claim('a token says who a member is, and what is known of it', async (t) => {
    const name = channel('presence-');
    const as = (sub, user_info) => pusher(t, server, a, bearer(token({ channels: ['presence-*'], sub, user_info }), sub));
    const ada = await subscribed(as('ada', { name: 'Ada L.' }), name);
    assert.deepEqual(ada.members.me, { id: 'ada', info: { name: 'Ada L.' } });
    const bob = await subscribed(as('bob', { name: 'Bob' }), name);
    assert.equal(bob.members.count, 2);
    assert.deepEqual(bob.members.get('ada').info, { name: 'Ada L.' });
    assert.deepEqual((await ada.heard.event('pusher:member_added')).data, { id: 'bob', info: { name: 'Bob' } });
    bob.pusher.disconnect();
    assert.equal((await ada.heard.event('pusher:member_removed')).data.id, 'bob');
  });

  claim('nobody is somebody else than the token says', async (t) => {
    const name = channel('presence-');
    const honest = await subscribed(pusher(t, server, a, bearer(token({ channels: [name], sub: 'ada' }), 'ada')), name);
    await subscribed(pusher(t, server, a, bearer(token({ channels: [name], sub: 'eve' }), 'root')), name);
    assert.equal((await honest.heard.event('pusher:member_added')).data.id, 'eve');
    assert.equal(honest.members.get('root'), null);
  });

  const name = channel('private-');
  const past = Math.floor(Date.now() / 1000) - 1;
  for (const [what, [auth, why]] of Object.entries({
    'that has expired': [token({ channels: [name], exp: past }), /expired/],
    'that is not valid yet': [token({ channels: [name], nbf: past + 3600 }), /not valid yet/],
    'that somebody else has signed': [jwt('guessed', { channels: [name] }), /signature is wrong/],
    'that nobody has signed': [`${token({ channels: [name] }, 'none').split('.', 2).join('.')}.AA`, /not signed with HS256/],
    'for another channel': [token({ channels: ['private-other', 'presence-*'] }), /not for this channel/],
    'that is none': ['letmein', /no JWT/],
  })) {
    claim(`a token ${what} is refused, and Echo’s error() is told why`, async (t) => {
      const said = await refusal(pusher(t, server, a, bearer(auth)), name);
      assert.equal(said.type, 'AuthError');
      assert.equal(said.status, 403);
      assert.match(said.error, why);

      const heard = new Heard('the channel');
      const client = echo(t, server, a, dialect, bearer(auth));
      client.private(name.replace('private-', '')).error((e) => heard.add('error', e));
      assert.deepEqual((await heard.event('error')).data, said);
      assert.match((await client.pusher.heard.event('error')).data.data.message, why);
      assert.equal(client.pusher.connection.state, 'connected');
    });
  }

  claim('what the backend signs is no token', async (t) => {
    const said = await refusal(user(t, a, 'ada'), channel('private-'));
    assert.deepEqual(said, { type: 'AuthError', error: 'auth is no JWT', status: 403 });
  });

  claim('a client that has fetched a new token gets in when it connects again', async (t) => {
    let auth = token({ channels: [name], exp: past });
    const client = pusher(t, server, a, {
      channelAuthorization: { customHandler: (_, callback) => callback(null, { auth }) },
    });
    await refusal(client, name);
    auth = token({ channels: [name] });
    client.disconnect(); // pusher-js does not ask twice on one connection
    client.connect();
    await client.channel(name).heard.event('pusher:subscription_succeeded');
  });
}

for (const [dialect, a] of Object.entries(doors)) {
  scenario(`${dialect}: a subscription that a plugin denies reaches the channel and Echo’s error()`, async (t) => {
    const name = `${channel()}-closed`;
    for (const kind of ['', 'private-', 'presence-']) {
      const client = user(t, a, 'ada');
      const said = await refusal(client, kind + name);
      assert.deepEqual(said, { type: 'AuthError', error: 'this room is closed', status: 403 });
      const { data } = await client.heard.event('error');
      assert.equal(data.data.code, dialect === 'reverb' ? 4009 : null);
      assert.equal(data.data.message, 'this room is closed');
      await subscribed(client, channel(kind));
    }

    const client = echo(t, server, a, dialect, { backend: backends.get(a), user: 'ada' });
    const heard = new Heard('the channels');
    client.channel(name).error((e) => heard.add('public', e));
    client.private(name).error((e) => heard.add('private', e));
    client.join(name).error((e) => heard.add('presence', e));
    for (const kind of ['public', 'private', 'presence']) {
      assert.equal((await heard.event(kind)).data.error, 'this room is closed');
    }
  });
}

scenario('a plugin that denies connections says with which code, and the client obeys', async (t) => {
  const client = pusher(t, server, closed);
  const said = (e) => e.event === 'error' && (e.data.data ?? e.data.error?.data)?.message === 'back at noon';
  const { data } = await client.heard.find(said, 'back at noon');
  assert.equal((data.data ?? data.error.data).code, 4103);
  // 4100 to 4199 bring it back after a second, to hear the same.
  await client.heard.count('connecting_in', 2);
  assert.deepEqual(client.heard.data('connected'), []);
});

scenario('a plugin is told how a client has connected', async (t) => {
  const stranger = socket(t, server, doors.pusher, { origin: 'https://theirs.example' });
  const { code } = (await stranger.heard.event('close')).data;
  assert.equal(code, 4009);
  assert.deepEqual(stranger.heard.data('pusher:error'), [{ code: 4009, message: 'come from our own page' }]);
  assert.deepEqual(stranger.heard.data('pusher:connection_established'), []);

  const friend = socket(t, server, doors.pusher, { origin: 'https://ours.example' });
  await friend.heard.event('pusher:connection_established');
});

// pair is two users in one channel.
async function pair(t, a, prefix) {
  const name = channel(prefix);
  return [await subscribed(user(t, a, 'ada'), name), await subscribed(user(t, a, 'bob'), name)];
}

scenario('a client event is heard as moderation has made it', async (t) => {
  const [ada, bob] = await pair(t, chat, 'private-');
  ada.trigger('client-said', { text: 'Darn, that hurt', n: 1 });
  assert.deepEqual((await bob.heard.event('client-said')).data, { text: '****, that hurt', n: 1 });
  ada.trigger('client-said', { text: 'all is well', n: 2 });
  assert.deepEqual((await bob.heard.event('client-said', 2)).data, { text: 'all is well', n: 2 });
});

scenario('whoever sends a client event that is denied is told why, and nobody hears it', async (t) => {
  const [ada, bob] = await pair(t, chat, 'presence-');
  ada.trigger('client-said', { text: 'Buy pills here' });
  const { data } = await ada.pusher.heard.event('error');
  assert.deepEqual(data, { type: 'PusherError', data: { code: null, message: 'please be kind' } });
  ada.trigger('client-said', { text: 'sorry' });
  await bob.heard.event('client-said');
  assert.deepEqual(bob.heard.data('client-said'), [{ text: 'sorry' }]);
  assert.equal(ada.pusher.connection.state, 'connected');
});

scenario('events of a backend are moderated too', async (t) => {
  const [ada] = await pair(t, chat, 'private-');
  const sdk = http(server, chat);
  assert.equal((await sdk.trigger(ada.name, 'said', { text: 'darn it' })).status, 200);
  assert.deepEqual((await ada.heard.event('said')).data, { text: '**** it' });

  const refused = (body) => ({ name: 'PusherRequestError', status: 403, body });
  const spam = { text: 'buy pills' };
  await assert.rejects(sdk.trigger(ada.name, 'said', spam), refused('please be kind\n'));
  // A batch is all or nothing.
  const batch = [{ text: 'fine' }, spam].map((data) => ({ channel: ada.name, name: 'said', data }));
  await assert.rejects(sdk.triggerBatch(batch), refused('please be kind (in batch[1])\n'));
  await sdk.trigger(ada.name, 'last', {});
  await ada.heard.event('last');
  assert.deepEqual(ada.heard.data('said'), [{ text: '**** it' }]);
});

scenario('a user who sends too much is refused, on all its connections, and no other user is', async (t) => {
  const name = channel('presence-');
  const [tab, other] = [await subscribed(user(t, quota, 'ada'), name), await subscribed(user(t, quota, 'ada'), name)];
  const bob = await subscribed(user(t, quota, 'bob'), name);
  for (const n of [1, 2, 3]) {
    (n === 2 ? other : tab).trigger('client-n', { n });
    await bob.heard.event('client-n', n);
  }
  for (const sender of [tab, other]) {
    sender.trigger('client-n', { n: 4 });
    assert.equal((await sender.pusher.heard.event('error')).data.data.message, 'too many messages, wait a minute');
  }
  bob.trigger('client-m', {});
  await tab.heard.event('client-m');
  await http(server, quota).trigger(name, 'last', {}); // a backend may
  await bob.heard.event('last');
  assert.deepEqual(bob.heard.data('client-n'), [{ n: 1 }, { n: 2 }, { n: 3 }]);
});

// stamp checks that data has the server's time, and returns the rest.
function stamp({ server_ts, ...rest }, since) {
  assert.ok(server_ts >= since && server_ts <= Date.now(), `server_ts is ${server_ts}, want it from ${since} on`);
  return rest;
}

scenario('an event carries the server’s time and the user whom the server knows', async (t) => {
  const since = Date.now();
  const [ada, bob] = await pair(t, stamped, 'presence-');
  ada.trigger('client-said', { text: 'hi', user_id: 'root', server_ts: 0 });
  assert.deepEqual(stamp((await bob.heard.event('client-said')).data, since), { text: 'hi', user_id: 'ada' });
  await http(server, stamped).trigger(ada.name, 'said', { text: 'hello' });
  assert.deepEqual(stamp((await bob.heard.event('said')).data, since), { text: 'hello' });
});

scenario('a plugin reads what the one before has written', async (t) => {
  const since = Date.now();
  const [ada, bob] = await pair(t, both, 'private-');
  ada.trigger('client-said', { text: 'darn' });
  assert.deepEqual(stamp((await bob.heard.event('client-said')).data, since), { text: '****', user_id: null });
});

// audits are the lines that the plugin has logged of a channel, or a socket.
function audits(match) {
  return server.output
    .split('\n')
    .filter((line) => line.startsWith('{') && line.includes('\\"audit\\"'))
    .map((line) => JSON.parse(JSON.parse(line).msg))
    .filter((line) => Object.entries(match).every(([key, value]) => line[key] === value));
}

scenario('who comes and goes is told to a plugin afterwards', async (t) => {
  const client = user(t, audited, 'ada');
  const socket_id = await connected(client);
  const name = channel('presence-');
  await subscribed(client, name);
  client.disconnect();
  const told = (match, n) => eventually(() => audits(match), (lines) => lines.length === n, `${n} lines of ${JSON.stringify(match)}`);
  assert.deepEqual((await told({ channel: name }, 6)).map((line) => line.audit).sort(), [
    'member_added', 'member_removed', 'occupied', 'subscribed', 'unsubscribed', 'vacated',
  ]);
  const whole = { app: audited.id, channel: name, user_id: 'ada' };
  assert.deepEqual(audits({ channel: name, audit: 'subscribed' }), [{ audit: 'subscribed', socket_id, ...whole }]);
  assert.deepEqual(audits({ channel: name, audit: 'member_removed' }), [{ audit: 'member_removed', ...whole }]);
  await told({ audit: 'disconnected', socket_id }, 1);
});
