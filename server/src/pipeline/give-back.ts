import type { ErrorCode } from '@sallyport/contracts';
import type { Admission } from '#policy';
import type { CallRefusal } from './call.ts';

/** What a call fails with before a byte of it is sent, or when it was surely refused as a whole. */
const beforeTheSource: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'catalog.tool_unavailable',
  'source.disabled',
  'source.address_unresolved',
  'source.address_refused',
  'source.unreachable',
  'source.secret_refused',
]);

/**
 * A call that did nothing uses nothing up: neither the approval that somebody gave it, nor, where the user only has to consent
 * first, a place within a limit.
 */
export function giveBack(admission: Admission, { code, ran }: CallRefusal): void | Promise<void> {
  if (ran === true) return;
  const waitsForUser = code.startsWith('credentials.');
  return waitsForUser || beforeTheSource.has(code) ? admission.unused(waitsForUser) : undefined;
}
