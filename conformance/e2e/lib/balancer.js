// A load balancer, with one server behind it at a time.

import { connect, createServer } from 'node:net';

export class Balancer {
  #listener;
  #sockets = new Set();
  #waiting = [];
  #server;

  /** Starts a balancer for the scenario whose context is given. */
  static async start(t) {
    const b = new Balancer();
    b.#listener = createServer((client) => {
      b.accepted++;
      b.#accept(client);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => b.#listener.once('listening', resolve));
    t.after(() => {
      b.#listener.close();
      for (const socket of [...b.#sockets, ...b.#waiting]) socket.destroy();
    });
    return b;
  }

  /** How many connections clients have opened. */
  accepted = 0;

  host = '127.0.0.1';
  path = '';

  get port() {
    return this.#listener.address().port;
  }

  /**
   * Sends new clients to server; those who are connected stay where they are.
   * While there is none, new clients wait.
   */
  use(server) {
    this.#server = server;
    if (server) for (const client of this.#waiting.splice(0)) this.#accept(client);
  }

  #accept(client) {
    if (!this.#server) {
      this.#waiting.push(client);
      return;
    }
    const server = connect(this.#server.port, this.#server.host);
    for (const [from, to] of [[client, server], [server, client]]) {
      this.#sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.end();
      });
      from.pipe(to);
    }
  }
}
