import type { ServerResponse } from 'node:http';
import type { ErrorOut, KoaContextWithOIDC } from 'oidc-provider';
import { refusal } from '#domain';
import { randomHex } from '#foundation';
import type { Log } from '#telemetry';
import { documentOf, type Page, pageHeaders } from '../pages/page.ts';
import { problemPage } from '../pages/problem-page.ts';

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
  const reference = `ref_${randomHex(6)}`;
  const reason = (error as { error_detail?: string }).error_detail ?? out.error_description;
  log.warn({ reference, error: out.error, reason }, 'a client could not be served');
  await show(
    ctx,
    problemPage({
      title: 'This application cannot be connected',
      words: wordsFor(out),
      advice:
        'Go back to the application, and connect again. If it happens again, tell whoever runs this server the reference below.',
      reference,
    }),
  );
}

function wordsFor({ error, error_description: description }: ErrorOut): string {
  return description ?? `This server does not understand what the application asks for (${error}).`;
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
