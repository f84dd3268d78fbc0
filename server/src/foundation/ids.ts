import { randomFillSync } from 'node:crypto';

const pool = Buffer.alloc(8192);
let used = pool.length;

function takeRandom(count: number): number {
  if (used + count > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const start = used;
  used += count;
  return start;
}

/** `length` random bytes from the operating system, in hexadecimal. */
export function randomHex(length: number): string {
  const start = takeRandom(length);
  return pool.toString('hex', start, start + length);
}

/**
 * An id like `te_019aa5…`: the prefix, 12 hexadecimal digits of the time in milliseconds, 20 random digits.
 * Ids of one kind sort by the time they were made.
 */
export function newId(prefix: string, nowMs: number): string {
  return `${prefix}_${nowMs.toString(16).padStart(12, '0')}${randomHex(10)}`;
}
