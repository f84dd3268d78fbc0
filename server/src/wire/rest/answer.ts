import { type ErrorResponse, errorCodes } from '@sallyport/contracts';
import type { z } from 'zod';
import { type Refusal, refusal } from '#domain';
import type { Answer } from './route.ts';

const jsonHeaders = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' };

export function answerOf({ status, body }: Answer): Response {
  if (status === 204) return new Response(null, { status });
  return new Response(JSON.stringify(body), { status, headers: jsonHeaders });
}

/** A refusal with what only the REST API says: every field at fault, and the id of a failed request. */
export interface RestRefusal extends Refusal {
  readonly issues?: ErrorResponse['issues'];
  readonly requestId?: string;
  readonly allow?: string;
  /** `WWW-Authenticate`. */
  readonly challenge?: string;
}

/**
 * Clients of Arcade send again on 409, 429 and every 5xx unless told not to. They are never told to: a header
 * `x-should-retry: true` would make them repeat what the user must first consent to.
 */
export function refusalAnswer(told: RestRefusal): Response {
  const { status, retry } = errorCodes[told.code];
  const body: ErrorResponse = {
    name: told.code,
    message: told.message,
    ...consentOf(told),
    ...(told.field === undefined ? {} : { field: told.field }),
    ...(told.issues === undefined ? {} : { issues: told.issues }),
    ...(told.requestId === undefined ? {} : { request_id: told.requestId }),
    ...(told.details === undefined ? {} : { details: told.details }),
  };
  const headers = {
    ...jsonHeaders,
    ...(retry ? {} : { 'x-should-retry': 'false' }),
    ...(told.retryAfterMs === undefined ? {} : retryAfter(told.retryAfterMs)),
    ...(status === 401 ? { 'www-authenticate': told.challenge ?? 'Bearer' } : {}),
    ...(told.allow === undefined ? {} : { allow: told.allow }),
  };
  return new Response(JSON.stringify(body), { status, headers });
}

/**
 * Helpers of Arcade's clients know by these words, and by no code, that the user has to be asked first. The address stands where
 * programs look for it.
 */
function consentOf({ code, message, details }: RestRefusal) {
  if (code !== 'credentials.consent_required') return {};
  const { authorization_url, authorization_id } = details ?? {};
  return {
    message: `authorization required: ${message}`,
    ...(typeof authorization_url === 'string' ? { authorization_url } : {}),
    ...(typeof authorization_id === 'string' ? { authorization_id } : {}),
  };
}

/** Clients of Arcade read the first, all others the second. */
const retryAfter = (waitMs: number) => ({
  'retry-after-ms': String(waitMs),
  'retry-after': String(Math.ceil(waitMs / 1000)),
});

/** Every issue, each with the path of its field; the message names the first. */
export function issuesRefusal(error: z.ZodError): RestRefusal {
  const issues = error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys')
      return [{ field: pathOf(issue.path), message: wordsOf(issue.message) }];
    return issue.keys.map((key) => ({
      field: pathOf([...issue.path, key]),
      message: 'is not a known field',
    }));
  });
  const [first] = issues;
  const others = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  const field = first?.field ?? '';
  const told = refusal(
    'request.params_invalid',
    `${field === '' ? 'the request' : field}: ${first?.message}${others}`,
    field === '' ? {} : { field },
  );
  return { ...told, issues: issues.slice(0, 100) };
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.map(String).join('.');
}

/** The schema library's words as a sentence about the field. */
function wordsOf(message: string): string {
  if (/received undefined$/.test(message)) return 'is required';
  return message
    .replace(/^(Invalid input|Invalid option|Too small|Too big|Invalid string): /, '')
    .replace(
      /^expected one of (.*)$/,
      (_, options: string) => `must be one of ${options.replaceAll('|', ', ')}`,
    )
    .replace(
      /^expected (\w+) to (be|have) ([<>])=?(\d+)/,
      (_, _type, verb: string, sign: string, bound: string) => {
        return `must ${verb} at ${sign === '<' ? 'most' : 'least'} ${bound}`;
      },
    )
    .replace(/^expected (\w+), received .*$/, (_, type: string) => `must be ${kinds[type] ?? `a ${type}`}`);
}

const kinds: Readonly<Record<string, string>> = {
  object: 'an object',
  record: 'an object',
  array: 'an array',
  int: 'a whole number',
};
