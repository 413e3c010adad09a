// Waiting for what should happen. Nothing here sleeps: a wait ends when its
// event comes, and fails with what it waited for when it does not.

/**
 * How long anything may take, in milliseconds: only what hangs takes so long,
 * however busy the machine is.
 */
export const patience = 60_000;

export function fail(message) {
  throw new Error(message);
}

/** Resolves as promise does; what is a function that says what is awaited. */
export function within(promise, what, ms = patience) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what()}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/**
 * What a source emits, in order. It listens from the moment it is made, so
 * that nothing is missed between an event and the wait for it.
 */
export class Heard {
  #waiting = new Set();

  constructor(name) {
    this.name = name;
    this.all = [];
  }

  add(event, data) {
    this.all.push({ event, data, at: Date.now() });
    for (const look of this.#waiting) look();
  }

  /** The names of the events so far. */
  get events() {
    return this.all.map((e) => e.event);
  }

  /** What came as the event called name, so far. */
  data(name) {
    return this.all.filter((e) => e.event === name).map((e) => e.data);
  }

  /** Waits until something that matches has been heard, now or before. */
  find(match, what = 'something else', ms = patience) {
    let look;
    const found = new Promise((resolve) => {
      look = () => {
        const e = this.all.find(match);
        if (e) resolve(e);
      };
      this.#waiting.add(look);
      look();
    });
    return within(found, () => `${this.name} to hear ${what}; it heard ${this}`, ms)
      .finally(() => this.#waiting.delete(look));
  }

  /** Waits for the event called name, for the nth of them. */
  async event(name, nth = 1) {
    await this.count(name, nth);
    return this.all.filter((e) => e.event === name)[nth - 1];
  }

  /** Waits until n events called name have been heard. */
  count(name, n, ms = patience) {
    return this.find(() => this.data(name).length >= n, n === 1 ? name : `${name} ${n} times`, ms);
  }

  toString() {
    if (this.all.length === 0) return 'nothing';
    return this.all.map((e) => `${e.event} ${JSON.stringify(e.data) ?? ''}`.trim().slice(0, 300)).join(', ');
  }
}

/** Asks again until the answer satisfies; for what nobody is told of. */
export async function eventually(ask, satisfies, what) {
  const deadline = Date.now() + patience;
  for (;;) {
    const answer = await ask();
    if (satisfies(answer)) return answer;
    if (Date.now() > deadline) fail(`waited ${patience} ms for ${what}; it is ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
