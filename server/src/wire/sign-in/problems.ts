import type { ServerResponse } from 'node:http';
import { type ErrorCode, errorCodes } from '@sallyport/contracts';
import type { Audit } from '#audit';
import { randomHex } from '#foundation';
import type { Log } from '#telemetry';
import { sendPage } from '../pages/page.ts';
import { type ProblemWords, problemPage } from '../pages/problem-page.ts';

export type SignInCode = Extract<ErrorCode, `sign_in.${string}`>;

/** Why a sign-in did not work. */
export interface Problem {
  readonly code: SignInCode;
  /** For the operator: the log and the audit record. Never a secret or a token. */
  readonly reason: string;
  /** In the place of the code's own words. */
  readonly title?: string;
  readonly message?: string;
  readonly advice?: string;
  readonly projectId?: string;
  readonly userId?: string;
  readonly gateway?: string;
  readonly retryUrl?: string;
}

/** Tells a person in plain words, and the operator the cause; both by the same reference. */
export interface Problems {
  show(response: ServerResponse, problem: Problem): Promise<void>;
  /** Something of ours broke. */
  fail(response: ServerResponse, error: unknown): Promise<void>;
  nothingHere(response: ServerResponse): Promise<void>;
}

/** Whoever is not let in gets the same words, whatever the cause: nothing can be found out by trying. */
const words: Readonly<Record<SignInCode, ProblemWords>> = {
  'sign_in.source_unreachable': {
    title: 'The sign-in service does not answer',
    words: 'The service that knows your account could not be reached, so nobody can say who you are.',
    advice: 'Try again in a few minutes. If it goes on, tell whoever runs this server the reference below.',
  },
  'sign_in.source_misconfigured': {
    title: 'The sign-in is not set up correctly',
    words: 'This server and the service that knows your account do not understand each other.',
    advice: 'You can do nothing about it. Tell whoever runs this server the reference below.',
  },
  'sign_in.source_refused': {
    title: 'The sign-in service did not let you in',
    words: 'The service that knows your account refused the sign-in, or you cancelled it.',
    advice: 'Try again. If it is refused again, tell whoever runs this server the reference below.',
  },
  'sign_in.answer_invalid': {
    title: 'The sign-in could not be completed',
    words: 'The answer of the service that knows your account could not be trusted, so it was not used.',
    advice: 'Try again. If it happens again, tell whoever runs this server the reference below.',
  },
  'sign_in.not_allowed': {
    title: 'You cannot come in with this account',
    words: 'You did sign in, but this account has no access here.',
    advice:
      'If you have another account, sign in with that one. Otherwise ask whoever runs this server, and tell them the reference below.',
  },
  'sign_in.expired': {
    title: 'This sign-in is over',
    words: 'It took too long, was finished already, or was begun in another browser.',
    advice:
      'Go back to the application, and connect again. If this page comes again, allow cookies for this address.',
  },
  'sign_in.rate_limited': {
    title: 'Too many attempts',
    words: 'There were too many attempts in a short time.',
    advice: 'Wait a minute, then try again.',
  },
};

const failed: ReadonlySet<SignInCode> = new Set([
  'sign_in.source_unreachable',
  'sign_in.source_misconfigured',
  'sign_in.answer_invalid',
]);

export function createProblems({
  audit,
  log,
}: {
  readonly audit: Pick<Audit, 'record'>;
  readonly log: Log;
}): Problems {
  return {
    async show(response, problem) {
      const { code, reason, projectId = 'default', userId = null, gateway = null } = problem;
      const reference = `ref_${randomHex(6)}`;
      log.warn({ reference, code, reason, projectId, gateway }, 'a sign-in did not work');
      await audit.record({
        kind: 'sign_in',
        decision: failed.has(code) ? 'failed' : 'refused',
        projectId,
        code,
        reason: `${reason} (${reference})`,
        userId,
        gateway,
      });
      const told = words[code];
      await sendPage(
        response,
        errorCodes[code].status,
        problemPage({
          ...told,
          title: problem.title ?? told.title,
          words: problem.message ?? told.words,
          advice: problem.advice ?? told.advice,
          reference,
          ...(problem.retryUrl === undefined ? {} : { retry: { url: problem.retryUrl, text: 'Try again' } }),
        }),
      );
    },

    async fail(response, error) {
      const reference = `ref_${randomHex(6)}`;
      log.error({ err: error, reference }, 'a page failed inside the server');
      if (response.headersSent) return void response.destroy();
      const page = problemPage({
        title: 'Something went wrong here',
        words: 'The server could not do this. It is not your fault.',
        advice: 'Try again. If it happens again, tell whoever runs this server the reference below.',
        reference,
      });
      await sendPage(response, 500, page);
    },

    async nothingHere(response) {
      const page = problemPage({
        title: 'There is nothing here',
        words: 'This address leads nowhere.',
        advice: 'Check that it was copied completely.',
        reference: null,
      });
      await sendPage(response, 404, page);
    },
  };
}
