// A Redis for the nodes of a cluster: a redis-server process of its own, which
// keeps nothing. REVURB_REDIS names the binary.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from './server.js';
import { Heard } from './wait.js';

/** Starts a Redis, and returns its URL and what stops it. */
export async function redis() {
  const port = await freePort();
  const dir = await mkdtemp(join(tmpdir(), 'revurb-e2e-redis-'));
  const server = spawn(process.env.REVURB_REDIS ?? 'redis-server', ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.on('exit', () => server.kill('SIGKILL'));
  const ended = new Promise((resolve) => server.once('close', resolve));
  const log = new Heard('redis-server');
  server.on('error', (err) => log.add(`${err.message}`));
  server.stdout.setEncoding('utf8').on('data', (text) => log.add(text));
  await log.find(({ event }) => event.includes('Ready to accept connections'), 'that it is ready');
  return {
    url: `redis://127.0.0.1:${port}`,

    async stop() {
      server.kill('SIGKILL');
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}
