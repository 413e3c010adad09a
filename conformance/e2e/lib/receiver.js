// A backend that takes webhooks, as one that uses the pusher SDK would.

import { createServer } from 'node:http';
import { after } from 'node:test';

import { Heard } from './wait.js';

export class Receiver {
  #listener;
  #sdk;
  #refusals = 0;

  /** Every request, with its body as it came. */
  requests = [];

  /** The events of the requests that the SDK found valid. */
  heard = new Heard('the backend');

  /** Starts a receiver for the scenarios of a file. */
  static async start() {
    const r = new Receiver();
    r.#listener = createServer(async (request, response) => {
      let body = '';
      for await (const part of request.setEncoding('utf8')) body += part;
      response.writeHead(r.#take(request.headers, body)).end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => r.#listener.once('listening', resolve));
    after(() => {
      r.#listener.closeAllConnections();
      r.#listener.close();
    });
    return r;
  }

  get url() {
    return `http://127.0.0.1:${this.#listener.address().port}/webhooks`;
  }

  /** Has the SDK check what comes. */
  verifiedBy(sdk) {
    this.#sdk = sdk;
  }

  /** Answers the next n requests with 500. */
  refuse(n) {
    this.#refusals = n;
  }

  #take(headers, rawBody) {
    this.requests.push({ headers, body: rawBody, at: Date.now() });
    if (this.#refusals > 0) {
      this.#refusals--;
      return 500;
    }
    const webhook = this.#sdk.webhook({ headers, rawBody });
    if (!webhook.isValid()) {
      this.heard.add('invalid', rawBody);
      return 401;
    }
    for (const event of webhook.getEvents()) this.heard.add(event.name, { ...event, time: webhook.getTime() });
    return 200;
  }
}
