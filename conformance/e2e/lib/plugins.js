// Plugins of a configuration. REVURB_PLUGINS names the directory that they are
// in, with a cache of them.

import { join } from 'node:path';

import { fail } from './wait.js';

export const dir = process.env.REVURB_PLUGINS ?? fail('REVURB_PLUGINS does not name the directory of the plugins');

/**
 * A plugin for a configuration, of the file that has its name. A machine that
 * is busy with other scenarios is no reason for it to fail.
 */
export function plugin(name, keys = {}) {
  return { name, path: join(dir, `${name}.wasm`), limits: { deadline: '5s', start_deadline: '30s' }, ...keys };
}

/** The section [hooks], with the directory in which the plugins are compiled already. */
export const hooks = { cache_dir: join(dir, 'cache') };
