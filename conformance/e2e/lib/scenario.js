// A scenario is a test of Node's own runner with a name that is a claim, a
// limit of time, and a list of what to put away when it is over.

import { test } from 'node:test';

let channels = 0;

/** Declares a scenario. Its function gets the context of node:test. */
export function scenario(claim, run, { timeout = 180_000 } = {}) {
  test(claim, { timeout }, run);
}

/** A channel that no other scenario uses. */
export function channel(prefix = '') {
  channels++;
  return `${prefix}room-${channels}`;
}
