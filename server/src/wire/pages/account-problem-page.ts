import type { Page } from './page.ts';
import { problemPage } from './problem-page.ts';

export type AccountProblemKind =
  | 'unknown'
  | 'too_long'
  | 'other_person'
  | 'other_browser'
  | 'answered'
  | 'failed'
  | 'not_sent_by_us'
  | 'not_there'
  | 'too_often'
  | 'broken';

interface Words {
  readonly status: number;
  readonly title: string;
  readonly words: string;
  readonly advice: string;
}

const again = 'Let your agent try again; it gets a new link.';

const said: Readonly<Record<AccountProblemKind, Words>> = {
  unknown: {
    status: 404,
    title: 'This link leads nowhere',
    words: 'It is not complete, or it is too old: a link works for ten minutes.',
    advice: again,
  },
  too_long: {
    status: 414,
    title: 'This answer is too long',
    words: 'What came back is longer than any answer that we asked for, so it was not used.',
    advice: again,
  },
  other_person: {
    status: 403,
    title: 'This link is for somebody else',
    words: 'You are signed in as another person than the one for whom an agent asked.',
    advice:
      'If somebody sent you this link, do not use it. If the agent is yours, sign in as the person it acts for.',
  },
  other_browser: {
    status: 403,
    title: 'This was begun in another browser',
    words:
      'What you allowed came back to another browser than the one that opened the link last, so it was not used.',
    advice:
      'If you did not ask for this, close this page: somebody may have sent you an answer of their own. Otherwise let your agent try again, and stay in one browser.',
  },
  answered: {
    status: 409,
    title: 'This was done already',
    words: 'The answer came before; it is taken once.',
    advice: 'Go back to your agent, and let it try again.',
  },
  failed: {
    status: 400,
    title: 'It could not be connected',
    words: 'Nothing was connected.',
    advice: again,
  },
  not_sent_by_us: {
    status: 403,
    title: 'This form is too old',
    words: 'It was shown more than two hours ago, or to somebody else, so nothing was changed.',
    advice: 'Open the page again, and press the button there.',
  },
  not_there: {
    status: 404,
    title: 'There is nothing here',
    words: 'There is no such connection or provider, or not any more.',
    advice: 'Open your connections again, and look there.',
  },
  too_often: {
    status: 429,
    title: 'Too many attempts',
    words: 'What was entered was refused too often.',
    advice: 'Wait a minute, then try again.',
  },
  broken: {
    status: 500,
    title: 'Something went wrong here',
    words: 'The server could not do this. It is not your fault.',
    advice: again,
  },
};

/** In plain words what did not work, and what mends it. `reason` and `advice`: of this very case, in the place of the general ones. */
export function accountProblem(of: {
  readonly kind: AccountProblemKind;
  readonly reason?: string;
  readonly advice?: string;
  readonly reference: string | null;
  readonly retry?: { readonly url: string; readonly text: string };
}): { readonly status: number; readonly page: Page } {
  const { kind, reason = '', advice = '', reference, retry } = of;
  const { status, title, words, advice: usual } = said[kind];
  const page = problemPage({
    title,
    words: sentenceOf(reason) || words,
    advice: sentenceOf(advice) || usual,
    reference,
    ...(retry === undefined ? {} : { retry }),
  });
  return { status, page };
}

export function sentenceOf(words: string): string {
  const text = words.trim();
  if (text === '') return '';
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}
