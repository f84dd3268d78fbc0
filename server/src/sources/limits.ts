import type { Source } from '#domain';

export const defaultMaxAnswerBytes = 32 * 1024 * 1024;
/** Of a whole list of tools. */
export const defaultMaxListBytes = 96 * 1024 * 1024;

/** A call may take as long as its source is given; finding out whether the source is well may not. */
export function inspectionTimeoutMs({ timeoutMs }: Source): number {
  return Math.min(timeoutMs, 30_000);
}
