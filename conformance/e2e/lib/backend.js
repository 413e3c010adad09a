// The backend of an app, with the routes that a Laravel app has: it says who
// may join a channel, and publishes what its users post.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { after } from 'node:test';

const script = createRequire(import.meta.url).resolve('pusher-js/dist/web/pusher-with-encryption.min.js');

/**
 * Starts a backend for the scenarios of a file, or for the one scenario whose
 * context is given. Users say who they are with a
 * bearer token that is their name. Everyone may join every channel but those
 * called ...-secret, in which only root is let.
 */
export async function backend(sdk, scenario = { after }) {
  const server = createServer((request, response) => {
    answer(sdk, request).then(
      ({ status = 200, type = 'application/json', body }) =>
        response.writeHead(status, { 'Content-Type': type }).end(body),
      (err) => response.writeHead(500, { 'Content-Type': 'text/plain' }).end(String(err)),
    );
  });
  server.listen(0);
  await new Promise((resolve) => server.once('listening', resolve));
  scenario.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address();
  return {
    port,
    url: `http://127.0.0.1:${port}`,

    /** Posts as a browser does that sends the socket ID along. */
    post: (channel, event, data, socketID) =>
      fetch(`http://127.0.0.1:${port}/messages`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...(socketID && { 'X-Socket-ID': socketID }) },
        body: JSON.stringify({ channel, event, data }),
      }),
  };
}

async function answer(sdk, request) {
  switch (`${request.method} ${request.url}`) {
    case 'POST /broadcasting/auth':
      return authorize(sdk, request);
    case 'POST /messages':
      return publish(sdk, request);
    case 'GET /pusher.js':
      return { type: 'text/javascript', body: readFileSync(script) };
    case 'GET /':
      return { type: 'text/html', body: '<!doctype html><meta charset="utf-8"><script src="/pusher.js"></script>' };
    default:
      return { status: 404, body: '{}' };
  }
}

async function authorize(sdk, request) {
  const form = new URLSearchParams(await text(request));
  const channel = form.get('channel_name');
  const user = request.headers.authorization?.replace('Bearer ', '');
  if (!user || (channel.endsWith('-secret') && user !== 'root')) {
    return { status: 403, body: '{"message":"This action is unauthorized."}' };
  }
  const member = channel.startsWith('presence-') ? { user_id: user, user_info: { name: user } } : undefined;
  return { body: JSON.stringify(sdk.authorizeChannel(form.get('socket_id'), channel, member)) };
}

// publish does what broadcast(...)->toOthers() does.
async function publish(sdk, request) {
  const { channel, event, data } = JSON.parse(await text(request));
  const socket_id = request.headers['x-socket-id'];
  await sdk.trigger(channel, event, data, socket_id ? { socket_id } : {});
  return { body: '{}' };
}

async function text(request) {
  let body = '';
  for await (const part of request.setEncoding('utf8')) body += part;
  return body;
}
