import type { ErrorCode } from '@sallyport/contracts';
import type { Admission } from '#policy';
import type { CallRefusal } from './call.ts';
import { hasRun } from './record.ts';

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
export function giveBack(admission: Admission, refusal: CallRefusal): void | Promise<void> {
  const waitsForUser = refusal.code.startsWith('credentials.');
  const isUndone = refusal.ran !== true && (waitsForUser || beforeTheSource.has(refusal.code));
  return isUndone ? admission.unused(waitsForUser) : undefined;
}

/** Whether a call that was refused, or failed, surely did nothing. */
export function surelyUndone(refusal: CallRefusal): boolean {
  // What a tool asked in the midst of its work is no sign that it did nothing.
  if (refusal.ran === true || refusal.code === 'client.capability_missing') return false;
  return !hasRun(refusal) || beforeTheSource.has(refusal.code);
}
