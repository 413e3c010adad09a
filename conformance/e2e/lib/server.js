// The built server, as somebody would run it: a process, a configuration file,
// signals. REVURB_BIN names the binary.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

import { fail, within } from './wait.js';

/** An app for a configuration file, with credentials that no other app has. */
export function app(name, keys = {}) {
  return { id: `id-${name}`, key: `key-${name}`, secret: `secret-${name}`, ...keys };
}

/**
 * Starts a server with these apps for the scenarios of a file, and stops it
 * after them. Other sections of the configuration come in config.
 */
export async function serve(apps, config = {}) {
  const server = await Server.start({ config: { ...config, apps } });
  after(() => server.stop());
  return server;
}

// No server outlives the scenarios, however they end.
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

export class Server {
  #process;
  #output = '';
  #watchers = new Set();
  #home;
  #killed = false;

  host = '127.0.0.1';
  port = 0;
  path = '';

  /**
   * Starts a server and waits until it listens. Without a config it is started
   * in an empty directory, so that there is no revurb.toml to find.
   */
  static async start({ config, args = [], env = {} } = {}) {
    const s = new Server();
    s.#home = await mkdtemp(join(tmpdir(), 'revurb-e2e-'));
    if (config) {
      const file = join(s.#home, 'revurb.toml');
      await writeFile(file, toml(defaults(config)));
      args = ['--config', file, ...args];
      s.path = config.server?.path ?? '';
    }
    s.#spawn(['start', ...args], env);
    await s.#listening();
    return s;
  }

  #spawn(args, env) {
    const bin = process.env.REVURB_BIN ?? fail('REVURB_BIN does not name the built server');
    this.#process = spawn(bin, args, {
      cwd: this.#home,
      // Nothing of the machine's own configuration may get in.
      env: { PATH: process.env.PATH, HOME: this.#home, GORACE: 'halt_on_error=1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(this.#process);
    const hear = (text) => {
      this.#output += text;
      for (const look of this.#watchers) look();
    };
    this.#process.stdout.setEncoding('utf8').on('data', hear);
    this.#process.stderr.setEncoding('utf8').on('data', hear);
    this.exited = new Promise((resolve) => {
      this.#process.on('error', (err) => hear(`${bin}: ${err.message}\n`));
      this.#process.on('close', (code, signal) => {
        running.delete(this.#process);
        resolve({ code, signal });
        hear('');
      });
    });
  }

  async #listening() {
    const address = await this.said(/\bhttps?:\/\/([^\s/:]+|\[[^\]]+\]):(\d+)/);
    this.port = Number(address[2]);
  }

  /** What the server has written to both its outputs. */
  get output() {
    return this.#output;
  }

  /** Waits until the output matches, and returns the match. */
  said(pattern) {
    let look;
    const heard = new Promise((resolve, reject) => {
      look = () => {
        const match = pattern.exec(this.#output);
        if (match) resolve(match);
        else if (!running.has(this.#process)) {
          reject(new Error(`the server ended before it wrote ${pattern}:\n${this.#output}`));
        }
      };
      this.#watchers.add(look);
      look();
    });
    return within(heard, () => `the server to write ${pattern}; it wrote:\n${this.#output}`)
      .finally(() => this.#watchers.delete(look));
  }

  get url() {
    return `http://${this.host}:${this.port}${this.path}`;
  }

  signal(name) {
    this.#process.kill(name);
  }

  /** Stops the server, if it runs. Unless it is killed, it must exit with 0. */
  async stop(name = 'SIGTERM') {
    if (running.has(this.#process)) {
      this.#killed = name === 'SIGKILL';
      this.signal(name);
    }
    const end = await within(this.exited, () => `the server to exit after ${name}; it wrote:\n${this.#output}`);
    await rm(this.#home, { recursive: true, force: true });
    if (end.code !== 0 && !this.#killed) {
      throw new Error(`the server exited with ${end.code ?? end.signal}, want 0:\n${this.#output}`);
    }
    return end;
  }
}

/** A TCP port that nobody listens on now. */
export async function freePort() {
  const listener = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => listener.once('listening', resolve));
  const { port } = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

// defaults keeps servers that run at the same time out of each other's way,
// and short of breath when they stop.
function defaults(config) {
  return {
    ...config,
    server: { host: '127.0.0.1', port: 0, drain_timeout: '200ms', ...config.server },
    admin: { listen: '', ...config.admin },
  };
}

function toml({ apps = [], plugins = [], ...sections }) {
  const lines = [];
  const table = (heading, keys, name) => {
    lines.push(heading);
    const inner = [];
    const lists = [];
    for (const [key, value] of Object.entries(keys)) {
      if (Array.isArray(value) && typeof value[0] === 'object') lists.push([`${name}.${key}`, value]);
      else if (value !== null && typeof value === 'object' && !Array.isArray(value)) inner.push([key, value]);
      else lines.push(`${key} = ${JSON.stringify(value)}`);
    }
    for (const [key, value] of inner) table(`[${name}.${key}]`, value, `${name}.${key}`);
    for (const [key, values] of lists) for (const value of values) table(`[[${key}]]`, value, key);
  };
  for (const [name, keys] of Object.entries(sections)) table(`[${name}]`, keys, name);
  for (const a of apps) table('[[apps]]', a, 'apps');
  for (const p of plugins) table('[[plugins]]', p, 'plugins');
  return lines.join('\n') + '\n';
}
