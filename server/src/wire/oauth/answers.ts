import type { ServerResponse } from 'node:http';
import type { ErrorOut, KoaContextWithOIDC } from 'oidc-provider';
import { refusal } from '#domain';
import { randomHex } from '#foundation';
import type { Log } from '#telemetry';
import { documentOf, type Page, pageHeaders } from '../pages/page.ts';
import { type ProblemWords, problemPage } from '../pages/problem-page.ts';
import { isOnThisComputer, redirectHostOf } from './client-metadata.ts';

export async function show(ctx: KoaContextWithOIDC, page: Page): Promise<void> {
  ctx.set(pageHeaders(page.script));
  ctx.body = await documentOf(page);
}

/** For a person: what happened, what to do, and by which reference its cause is found in the log. */
export async function showProblem(
  ctx: KoaContextWithOIDC,
  out: ErrorOut,
  error: Error,
  log: Log,
): Promise<void> {
  const reason = (error as { error_detail?: string }).error_detail ?? out.error_description;
  await show(ctx, problemOf(out, reason, log));
}

/**
 * Anybody can register a client that answers go to: where nobody was asked yet, an error takes nobody elsewhere by itself. On
 * the person's own computer the application waits for it.
 */
export async function showWayBack(ctx: KoaContextWithOIDC, log: Log): Promise<void> {
  const location = String(ctx.response.get('location'));
  if (ctx.oidc?.route !== 'authorization' || !URL.canParse(location) || isOnThisComputer(location)) return;
  const { search, hash } = new URL(location);
  const answer = new URLSearchParams(hash === '' ? search : hash.slice(1));
  const error = answer.get('error');
  if (error === null) return;
  const out = { error, error_description: answer.get('error_description') ?? '' };
  const page = problemOf(out, out.error_description, log, {
    url: location,
    text: `Go back to ${redirectHostOf(location)}`,
  });
  ctx.response.remove('location');
  ctx.status = 400;
  await show(ctx, page);
}

function problemOf(
  out: Pick<ErrorOut, 'error' | 'error_description'>,
  reason: string | undefined,
  log: Log,
  retry?: ProblemWords['retry'],
): Page {
  const reference = `ref_${randomHex(6)}`;
  log.warn({ reference, error: out.error, reason }, 'a client could not be served');
  return problemPage({
    title: 'This application cannot be connected',
    words: wordsFor(out),
    advice:
      'Go back to the application, and connect again. If it happens again, tell whoever runs this server the reference below.',
    reference,
    ...(retry === undefined ? {} : { retry }),
  });
}

const words: Readonly<Record<string, string>> = {
  invalid_client: 'This server does not know the application, or cannot read what it publishes of itself.',
  invalid_redirect_uri: 'The application wants its answer to go to an address that it did not name before.',
  invalid_request: 'The application asks in a way that this server does not understand, or it took too long.',
  invalid_target: 'The application asks for something that is not here, or not for it.',
  login_required: 'The application wants to connect without asking you, and you have to sign in first.',
  consent_required: 'The application wants to connect without asking you, and you did not allow it yet.',
  server_error: 'Something went wrong on this server.',
};

/** First for the person, then for whoever wrote the application. */
function wordsFor({ error, error_description: description }: ErrorOut): string {
  const told = Object.hasOwn(words, error) ? words[error] : undefined;
  const technical = description ? `${error}: ${description}` : error;
  return `${told ?? 'This server cannot give the application what it asks for.'} (${technical})`;
}

export function nothingHere(response: ServerResponse, path: string): void {
  const { code, message } = refusal('resource.unknown', `there is nothing at ${path.slice(0, 200)}`);
  json(response, 404, { name: code, message });
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}
