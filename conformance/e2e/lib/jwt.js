// Tokens, as the backend of an app gives them to its users when they log in.

import { createHmac } from 'node:crypto';

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A JWT with these claims, for an hour unless they say otherwise. */
export function jwt(key, claims, alg = 'HS256') {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const signed = `${encode({ alg, typ: 'JWT' })}.${encode({ exp, ...claims })}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}
