import { type ErrorResponse, errorCodes, errorResponse } from '@sallyport/contracts';
import { CommandError } from '../command-error.ts';
import { parsedJson } from '../files/values.ts';
import type { Incoming } from './send.ts';

/** A "no" of the server: its name is the code. */
export class ServerRefusal extends CommandError {
  readonly status: number;
  readonly refusal: ErrorResponse;

  constructor(status: number, refusal: ErrorResponse) {
    super(refusal.name, `${refusal.name}: ${refusal.message}`, detailsOf(refusal));
    this.status = status;
    this.refusal = refusal;
  }
}

/** Any answer that is not a success, as an error. */
export function refusedBy(origin: string, { status, text }: Incoming): CommandError {
  const told = errorResponse.safeParse(parsedJson(text));
  if (told.success) return new ServerRefusal(status, told.data);
  return new CommandError(
    'remote.answer_invalid',
    `${origin} answered ${status} and no error of a Sallyport`,
    ['Is this the address of a Sallyport, or does something stand before it?'],
  );
}

/** The page of the documentation about a code of the server. */
export function pageOf(code: string): string | null {
  return Object.hasOwn(errorCodes, code) ? `docs/errors/${code}.md` : null;
}

function detailsOf({ name, message, issues = [], request_id, authorization_url }: ErrorResponse): string[] {
  const page = pageOf(name);
  return [
    ...issues.map((issue) => `${issue.field}: ${issue.message}`).filter((line) => !message.startsWith(line)),
    ...(authorization_url === undefined || message.includes(authorization_url)
      ? []
      : [`allow it here: ${authorization_url}`]),
    ...(adviceOf[name] === undefined ? [] : [adviceOf[name]]),
    ...(request_id === undefined ? [] : [`request ${request_id}`]),
    ...(page === null ? [] : [`see ${page}`]),
  ];
}

const signIn = 'Sign in again: sallyport login (SALLYPORT_API_KEY, where it is set, goes first)';
export const adviceOf: Readonly<Record<string, string>> = {
  'identity.invalid': signIn,
  'identity.missing': signIn,
  'identity.expired': signIn,
  'identity.token_invalid': signIn,
  'identity.token_expired': signIn,
  'identity.user_missing': 'Say for whom: --user <id>',
  'catalog.tool_unknown': 'sallyport tools list has the names that there are.',
  'catalog.arguments_invalid': 'sallyport tools list --json has the input of each tool.',
};
