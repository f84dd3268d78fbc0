import { CommandError } from '../command-error.ts';
import type { Io } from '../output/io.ts';
import { version } from '../version.ts';

export interface Outgoing {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
}

export interface Incoming {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** More than any answer of the API; a peer cannot make us keep without bound. */
const greatestBytes = 64 * 1024 * 1024;

/** One request. Follows no redirect: what was meant for one address must not reach another. */
export async function send(io: Pick<Io, 'fetch' | 'signal'>, outgoing: Outgoing): Promise<Incoming> {
  const { method, url, headers = {}, body, timeoutMs } = outgoing;
  const timeout = AbortSignal.timeout(timeoutMs);
  const { origin } = new URL(url);
  try {
    const response = await io.fetch(url, {
      method,
      headers: { 'user-agent': `sallyport-cli/${version}`, accept: 'application/json', ...headers },
      redirect: 'manual',
      signal: AbortSignal.any([io.signal, timeout]),
      ...(body === undefined ? {} : { body }),
    });
    if (response.status >= 300 && response.status < 400) throw redirected(url, response);
    return { status: response.status, headers: response.headers, text: await textOf(response, origin) };
  } catch (error) {
    if (error instanceof CommandError) throw error;
    if (io.signal.aborted) throw new CommandError('interrupted', 'interrupted');
    if (timeout.aborted) {
      throw new CommandError(
        'remote.timeout',
        `${origin} did not answer within ${Math.round(timeoutMs / 1000)} s`,
      );
    }
    throw unreachable(origin, error);
  }
}

export function unreachable(origin: string, error: unknown): CommandError {
  return new CommandError('remote.unreachable', `${origin} cannot be reached: ${causeOf(error)}`, [
    'Does it run, and is this its address? `sallyport login <url>` sets another one.',
  ]);
}

async function textOf(response: Response, origin: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > greatestBytes) {
      throw new CommandError('remote.answer_too_large', `${origin} answered with more than 64 MiB`);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function redirected(url: string, response: Response): CommandError {
  const location = response.headers.get('location');
  const target = location === null ? null : URL.parse(location, url);
  return new CommandError(
    'remote.redirected',
    `${new URL(url).origin} sends requests on${target === null ? '' : ` to ${target.origin}`}, and a credential does not go there unasked`,
    target === null ? [] : [`Where that is the server: sallyport login ${target.origin}`],
  );
}

/** What undici says is "fetch failed"; why, stands in its causes. */
export function causeOf(error: unknown): string {
  let found = error;
  while (found instanceof Error && found.cause instanceof Error) found = found.cause;
  if (found instanceof AggregateError && found.errors[0] instanceof Error) found = found.errors[0];
  const { code, message } = found as NodeJS.ErrnoException;
  return explained[code ?? ''] ?? (message || String(found));
}

const explained: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (ECONNREFUSED)',
  ENOTFOUND: 'its name has no address (ENOTFOUND)',
  ECONNRESET: 'it closed the connection (ECONNRESET)',
};
