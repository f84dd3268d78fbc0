import type { ExecutionStatus } from '@sallyport/contracts';
import { refusal } from '#domain';
import type { Outcome } from './attempt.ts';
import type { Kept, View, Wanted } from './execution.ts';
import { inputTooLarge } from './refusals.ts';
import type { Run } from './runs.ts';

/** How long it is known how an execution ended. */
export const keptMs = 24 * 60 * 60_000;
/** How long questions and consents wait: as long as those who ask them do. */
const waitsMs = 10 * 60_000;
/** More than this of one result is not kept. */
export const maxKept = 1024 * 1024;

const iso = (ms: number): string => new Date(ms).toISOString();

/** The execution, now that an attempt came out so. */
export function settledView({ execution, wanted, stopping }: Run, given: Outcome, nowMs: number): View {
  const outcome = given.kind === 'waiting' ? (whyNotWaiting(given, wanted) ?? given) : given;
  if (outcome.kind === 'waiting') {
    const { waitingFor, kept, expiresAt } = outcome;
    const until = expiresAt ?? iso(nowMs + waitsMs);
    return { execution: { ...execution, status: 'waiting', waitingFor, expiresAt: until }, kept };
  }
  const isUndone = outcome.kind === 'failed' && outcome.isUndone;
  const { status, kept } = endOf(outcome, execution.repeatable, stopping.signal.aborted);
  return endedView({ execution, kept }, status, isUndone, nowMs);
}

/** The execution, now that it is over; one that surely did nothing leaves its key free. */
export function endedView(
  { execution, kept }: View,
  status: ExecutionStatus,
  isUndone: boolean,
  nowMs: number,
): View {
  const keyHash = isUndone ? null : execution.keyHash;
  const times = { endedAt: iso(nowMs), expiresAt: iso(nowMs + keptMs) };
  return { execution: { ...execution, status, waitingFor: null, keyHash, ...times }, kept };
}

/** It cannot be gone on with where what that takes is more than is kept. */
function whyNotWaiting(
  { kept, waitingFor }: Outcome & { readonly kind: 'waiting' },
  { args }: Wanted,
): (Outcome & { readonly kind: 'failed' }) | null {
  const tooLarge = JSON.stringify(args).length > maxKept ? inputTooLarge : asksTooMuch;
  if (tooLarge === asksTooMuch && JSON.stringify(kept).length <= maxKept) return null;
  const { code: name, message } = tooLarge;
  const isUndone = waitingFor !== 'input';
  return { kind: 'failed', kept: { said: { error: { name, message } } }, told: tooLarge, isUndone };
}

const asksTooMuch = refusal('source.answer_too_large', 'the tool asks more than is kept (1 MiB)');

const leftOpen = 'it was stopped in the midst of its work: whether that was done is not known';

function endOf(
  outcome: Exclude<Outcome, { kind: 'waiting' }>,
  repeatable: boolean,
  isStopped: boolean,
): { readonly status: ExecutionStatus; readonly kept: Kept } {
  const { kind, kept } = outcome;
  if (kind !== 'unknown') return { status: kind, kept };
  const { said } = kept;
  if (outcome.isStopped && isStopped) {
    return { status: 'cancelled', kept: { said: repeatable ? {} : { advice: leftOpen } } };
  }
  if (!repeatable) return { status: 'unknown', kept };
  const advice = 'it does no harm to execute it again';
  return { status: 'failed', kept: { said: { ...said, advice } } };
}

/** As it is kept: what is too large was given to whoever waited for it, and to nobody again. */
export function storedView(view: View): View {
  const size = JSON.stringify(view.kept).length;
  if (size <= maxKept) return view;
  const { error } = view.kept.said;
  const advice = `the result had ${size} characters, more than is kept (${maxKept}); it was given once, to who waited for it`;
  const shortened =
    error === undefined ? {} : { error: { name: error.name, message: error.message.slice(0, 1000) } };
  return { execution: view.execution, kept: { said: { ...shortened, advice }, isTooLarge: true } };
}
