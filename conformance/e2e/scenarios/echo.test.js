// Laravel Echo, with both of its broadcasters for servers of this protocol.

import assert from 'node:assert/strict';

import { backend as start } from '../lib/backend.js';
import { connected, echo, hear, http } from '../lib/clients.js';
import { channel, scenario } from '../lib/scenario.js';
import { app, serve } from '../lib/server.js';
import { Heard } from '../lib/wait.js';

const apps = { reverb: app('laravel', { dialect: 'reverb' }), pusher: app('hosted') };
const server = await serve(Object.values(apps));

for (const [broadcaster, app] of Object.entries(apps)) {
  const sdk = http(server, app);
  const backend = await start(sdk);
  const user = (t, name) => echo(t, server, app, broadcaster, { backend, user: name });
  const claim = (text, run) => scenario(`${broadcaster}: ${text}`, run);

  // joined waits until a channel of Echo is subscribed.
  const joined = async (ch) => {
    ch.heard = hear(ch.subscription);
    await ch.heard.event('pusher:subscription_succeeded');
    return ch;
  };

  claim('channel().listen() hears an event of App\\Events', async (t) => {
    const name = channel();
    const heard = new Heard(name);
    await joined(user(t, 'ada').channel(name).listen('OrderShipped', (e) => heard.add('OrderShipped', e)));
    await sdk.trigger(name, 'App\\Events\\OrderShipped', { order: 1 });
    assert.deepEqual((await heard.event('OrderShipped')).data, { order: 1 });
  });

  claim('listen() hears an event that has a name of its own', async (t) => {
    const name = channel();
    const heard = new Heard(name);
    await joined(user(t, 'ada').channel(name).listen('.order.shipped', (e) => heard.add('shipped', e)));
    await sdk.trigger(name, 'order.shipped', { order: 2 });
    assert.deepEqual((await heard.event('shipped')).data, { order: 2 });
  });

  claim('private() is authorized by the backend', async (t) => {
    const name = channel();
    const heard = new Heard(name);
    await joined(user(t, 'ada').private(name).listen('.paid', (e) => heard.add('paid', e)));
    await sdk.trigger(`private-${name}`, 'paid', { eur: 5 });
    assert.deepEqual((await heard.event('paid')).data, { eur: 5 });
  });

  claim('notification() hears a notification', async (t) => {
    const name = channel('App.Models.User.');
    const heard = new Heard(name);
    await joined(user(t, 'ada').private(name).notification((n) => heard.add('notification', n)));
    await sdk.trigger(`private-${name}`, 'Illuminate\\Notifications\\Events\\BroadcastNotificationCreated', { id: 'n1' });
    assert.deepEqual((await heard.event('notification')).data, { id: 'n1' });
  });

  claim('join() tells who is here, joining and leaving', async (t) => {
    const name = channel();
    const heard = new Heard(name);
    await joined(
      user(t, 'ada').join(name)
        .here((users) => heard.add('here', users))
        .joining((u) => heard.add('joining', u))
        .leaving((u) => heard.add('leaving', u)),
    );
    assert.deepEqual((await heard.event('here')).data, [{ name: 'ada' }]);
    const bob = user(t, 'bob');
    await joined(bob.join(name));
    assert.deepEqual((await heard.event('joining')).data, { name: 'bob' });
    bob.leave(name);
    assert.deepEqual((await heard.event('leaving')).data, { name: 'bob' });
  });

  claim('whisper() is heard by the others', async (t) => {
    const name = channel();
    const heard = new Heard(name);
    const ada = await joined(user(t, 'ada').private(name).listenForWhisper('typing', () => heard.add('my own whisper')));
    await joined(user(t, 'bob').private(name).listenForWhisper('typing', (e) => heard.add('typing', e)));
    ada.whisper('typing', { name: 'ada' });
    assert.deepEqual((await heard.event('typing')).data, { name: 'ada' });
    assert.deepEqual(heard.events, ['typing']);
  });

  claim('whisper() in a presence channel is heard by the others', async (t) => {
    const name = channel();
    const heard = new Heard(name);
    const ada = await joined(user(t, 'ada').join(name));
    await joined(user(t, 'bob').join(name).listenForWhisper('wave', (e) => heard.add('wave', e)));
    ada.whisper('wave', {});
    assert.deepEqual((await heard.event('wave')).data, {});
  });

  claim('error() is called when the backend says no', async (t) => {
    const heard = new Heard('the channel');
    user(t, 'ada').private(`${channel()}-secret`).error((e) => heard.add('error', e));
    assert.equal((await heard.event('error')).data.status, 403);
  });

  claim('error() is called when the server says no', async (t) => {
    const forger = await start(http(server, { ...app, secret: 'guessed' }), t);
    const client = echo(t, server, app, broadcaster, { backend: forger, user: 'ada' });
    const heard = new Heard('the channel');
    client.private(channel()).error((e) => heard.add('error', e));
    const { data } = await heard.event('error');
    assert.equal(data.type, 'AuthError');
    assert.equal(data.status, 401);
    assert.equal((await client.pusher.heard.event('error')).data.data.code, broadcaster === 'reverb' ? 4009 : null);
  });

  claim('encryptedPrivate() reads what was encrypted', async (t) => {
    const name = channel();
    const heard = new Heard(name);
    await joined(user(t, 'ada').encryptedPrivate(name).listen('.sealed', (e) => heard.add('sealed', e)));
    await sdk.trigger(`private-encrypted-${name}`, 'sealed', { text: 'psst' });
    assert.deepEqual((await heard.event('sealed')).data, { text: 'psst' });
  });

  claim('toOthers() leaves out who sent the request', async (t) => {
    const name = channel();
    const me = user(t, 'ada');
    const mine = await joined(me.channel(name));
    const theirs = await joined(user(t, 'bob').channel(name));
    await connected(me.pusher);
    assert.equal((await backend.post(name, 'moved', { x: 1 }, me.socketId())).status, 200);
    assert.equal((await backend.post(name, 'last', {})).status, 200);
    await Promise.all([mine.heard.event('last'), theirs.heard.event('last')]);
    assert.deepEqual(theirs.heard.data('moved'), [{ x: 1 }]);
    assert.deepEqual(mine.heard.data('moved'), []);
  });

  claim('leave() vacates the channel', async (t) => {
    const name = channel();
    const client = user(t, 'ada');
    const gone = new Heard(name);
    await joined(user(t, 'bob').join(name).leaving((u) => gone.add('left', u)));
    await joined(client.join(name));
    client.leave(name);
    assert.deepEqual((await gone.event('left')).data, { name: 'ada' });
  });
}
