import { FetchFailed } from '#egress';
import type { SignInProblem, UserSource } from './contract.ts';

type Code = SignInProblem['code'];

const words: Readonly<Record<Code, (name: string) => string>> = {
  'sign_in.source_unreachable': (name) => `${name} does not answer right now. Try again in a few minutes.`,
  'sign_in.source_misconfigured': (name) =>
    `Signing in with ${name} is not set up correctly here. Your administrator can find the cause by the reference id.`,
  'sign_in.source_refused': (name) =>
    `${name} did not let you in. If you cancelled, go back and try again; otherwise ask your administrator whether you may use this application.`,
  'sign_in.answer_invalid': (name) =>
    `The answer of ${name} does not hold, so you were not signed in. Try again; if it happens again, tell your administrator the reference id.`,
  'sign_in.not_allowed': (name) =>
    `${name} knows you, but this account may not come in here. Choose the account of your company.`,
  'sign_in.expired': () =>
    'This sign-in took too long, or was finished already. Go back to your application and connect again.',
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
