// The clients that users have, configured as their documentation says.

import Echo from 'laravel-echo';
import Pusher from 'pusher-js';
import PusherHTTP from 'pusher';
import { WebSocket } from 'ws';

import { Heard } from './wait.js';

/** A 32 byte key for encrypted channels, as `openssl rand -base64 32` makes it. */
export const masterKey = Buffer.from('0123456789abcdef0123456789abcdef').toString('base64');

/** The options that point pusher-js at a server. */
export function options(server) {
  return {
    cluster: '',
    wsHost: server.host,
    wsPort: server.port,
    wsPath: server.path,
    forceTLS: false,
    enabledTransports: ['ws'],
  };
}

/**
 * A pusher-js client, with a connection heard from the start. user is who the
 * backend, if there is one, takes it for.
 */
export function pusher(t, server, app, { backend, user, ...more } = {}) {
  const client = new Pusher(app.key, {
    ...options(server),
    ...(backend && {
      channelAuthorization: {
        transport: 'ajax',
        endpoint: `${backend.url}/broadcasting/auth`,
        headers: { Authorization: `Bearer ${user}` },
      },
    }),
    ...more,
  });
  t.after(() => hangUp(client));
  client.heard = hear(client.connection, `the connection of ${user ?? 'the client'}`);
  return client;
}

/**
 * Ends a client for good. After some closes pusher-js has two timers to connect
 * again, of which disconnect stops one.
 */
export function hangUp(client) {
  client.disconnect();
  client.connection.connect = () => {};
}

/** Everything that a connection or a channel of pusher-js emits from now on. */
export function hear(source, name = source.name) {
  const heard = new Heard(name);
  source.bind_global((event, data) => heard.add(event, data));
  return heard;
}

/** Waits for the client to be connected, and returns its socket ID. */
export async function connected(client) {
  if (client.connection.state !== 'connected') await client.heard.event('connected');
  return client.connection.socket_id;
}

/** Subscribes and waits until the server has said yes. */
export async function subscribed(client, name) {
  const ch = client.subscribe(name);
  ch.heard = hear(ch);
  await ch.heard.event('pusher:subscription_succeeded');
  return ch;
}

/** The HTTP SDK, as an app's backend uses it. */
export function http(server, app, more = {}) {
  return new PusherHTTP({
    appId: app.id,
    key: app.key,
    secret: app.secret,
    // A path before /apps is not signed, in any of the SDKs that know paths.
    // This one does not; its host is all that comes before /apps.
    host: server.path ? `${server.host}:${server.port}${server.path}` : server.host,
    ...(!server.path && { port: server.port }),
    useTLS: false,
    encryptionMasterKeyBase64: masterKey,
    ...more,
  });
}

/** An Echo client of a Laravel app, for either of its two broadcasters. */
export function echo(t, server, app, broadcaster, { backend, user, ...more } = {}) {
  const client = new Echo({
    broadcaster,
    key: app.key,
    Pusher,
    ...options(server),
    wssPort: server.port,
    ...(backend && { authEndpoint: `${backend.url}/broadcasting/auth` }),
    // Without headers of its own a client shares those of all Echo clients in
    // the process, and with them who it is.
    auth: { headers: {} },
    bearerToken: user,
    ...more,
  });
  client.pusher = client.connector.pusher;
  t.after(() => hangUp(client.pusher));
  client.pusher.heard = hear(client.pusher.connection, `the connection of ${user}`);
  return client;
}

/** A bare WebSocket, for what the clients above hide. */
export function socket(t, server, app, more = {}) {
  const ws = new WebSocket(`ws://${server.host}:${server.port}${server.path}/app/${app.key}?protocol=7&client=js&version=8.6.0`, more);
  t.after(() => ws.terminate());
  ws.heard = new Heard('the socket');
  ws.on('message', (frame) => {
    const { event, data } = JSON.parse(frame);
    ws.heard.add(event, typeof data === 'string' ? JSON.parse(data) : data);
  });
  ws.on('ping', () => ws.heard.add('control ping'));
  ws.on('close', (code, reason) => ws.heard.add('close', { code, reason: `${reason}` }));
  ws.on('error', (err) => ws.heard.add('error', err.message));
  return ws;
}
