import { FetchFailed } from '#egress';
import type { SignInProblem, UserSource } from './contract.ts';

type Code = SignInProblem['code'];

/** The fact alone: what to do about it stands beside it on the page. */
const words: Readonly<Record<Code, (name: string) => string>> = {
  'sign_in.source_unreachable': (name) => `${name} does not answer right now, so nobody can say who you are.`,
  'sign_in.source_misconfigured': (name) => `Signing in with ${name} is not set up correctly here.`,
  'sign_in.source_refused': (name) => `${name} did not let you in, or you cancelled.`,
  'sign_in.answer_invalid': (name) => `The answer of ${name} could not be trusted, so it was not used.`,
  'sign_in.not_allowed': (name) => `${name} knows you, but this account may not come in here.`,
  'sign_in.expired': () => 'This sign-in took too long, or was finished already.',
};

/** `reason` is for the operator; `message` replaces the usual words for the person. */
export function problem(
  source: Pick<UserSource, 'name'>,
  code: Code,
  reason: string,
  message = words[code](source.name),
): SignInProblem {
  return { code, message, reason };
}

/** Why nothing came back, where that is the cause of an error; else `null`. */
export function failureIn(error: unknown): FetchFailed | null {
  for (let here = error, depth = 0; here instanceof Error && depth < 5; here = here.cause, depth++)
    if (here instanceof FetchFailed) return here;
  return null;
}

const maxTold = 500;

/** What a peer said, fit for a log: one line, bounded, without what we told it in confidence. */
export function told(text: unknown, secrets: readonly string[]): string {
  if (typeof text !== 'string') return '';
  let safe = text;
  for (const secret of secrets) if (secret.length >= 4) safe = safe.replaceAll(secret, '…');
  const line = safe.replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim();
  return line.length > maxTold ? `${line.slice(0, maxTold)}…` : line;
}
