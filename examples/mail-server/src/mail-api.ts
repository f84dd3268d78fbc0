import { NetworkTransportError, UpstreamError } from '@sallyport/server';
import { z } from 'zod';

/** The part of the Gmail API that the tools use. The token is the user's own, and is kept nowhere. */
export interface MailApi {
  profile(token: string, signal: AbortSignal): Promise<z.infer<typeof profile>>;
  list(token: string, search: string | undefined, limit: number, signal: AbortSignal): Promise<Message[]>;
  send(token: string, mime: string, signal: AbortSignal): Promise<{ id: string }>;
}

export interface Message {
  id: string;
  from: string;
  to: string;
  subject: string;
  date: string;
  snippet: string;
}

const profile = z.object({ emailAddress: z.string(), messagesTotal: z.number().int() });
const sent = z.object({ id: z.string() });
const page = z.object({ messages: z.array(z.object({ id: z.string() })).optional() });
const headers = z.array(z.object({ name: z.string(), value: z.string() }));
const metadata = z.object({ id: z.string(), snippet: z.string(), payload: z.object({ headers }) });

const shown = ['From', 'To', 'Subject', 'Date'];
const patienceMs = 10_000;

export function createMailApi(apiUrl: string): MailApi {
  const mailbox = `${apiUrl.replace(/\/$/, '')}/gmail/v1/users/me`;

  /** `body`: what is posted; without one it is a GET. */
  async function ask<T>(
    schema: z.ZodType<T>,
    path: string,
    token: string,
    signal: AbortSignal,
    body?: object,
  ) {
    const response = await reach(`${mailbox}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
    });
    if (!response.ok) throw refused(response);
    const answer = schema.safeParse(await response.json().catch(() => null));
    if (answer.success) return answer.data;
    throw new UpstreamError('the mail service answered with something else than its API promises', {
      statusCode: 502,
    });
  }

  async function read(token: string, id: string, signal: AbortSignal): Promise<Message> {
    const query = shown.map((name) => `metadataHeaders=${name}`).join('&');
    const path = `/messages/${encodeURIComponent(id)}?format=metadata&${query}`;
    const { snippet, payload } = await ask(metadata, path, token, signal);
    const header = (name: string) =>
      payload.headers.find((one) => one.name.toLowerCase() === name)?.value ?? '';
    return {
      id,
      from: header('from'),
      to: header('to'),
      subject: header('subject'),
      date: header('date'),
      snippet,
    };
  }

  return {
    profile: (token, signal) => ask(profile, '/profile', token, signal),
    async list(token, search, limit, signal) {
      const query = new URLSearchParams({
        maxResults: String(limit),
        ...(search !== undefined && { q: search }),
      });
      const { messages = [] } = await ask(page, `/messages?${query}`, token, signal);
      return await Promise.all(messages.map(({ id }) => read(token, id, signal)));
    },
    send: (token, mime, signal) =>
      ask(sent, '/messages/send', token, signal, { raw: Buffer.from(mime).toString('base64url') }),
  };
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, redirect: 'error' });
  } catch (cause) {
    const isLate = cause instanceof Error && cause.name === 'TimeoutError';
    const words = isLate ? 'did not answer in time' : 'cannot be reached';
    throw new NetworkTransportError(`the mail service ${words}`, {
      reason: isLate ? 'timeout' : 'unreachable',
      // What was sent may have been taken.
      canRetry: init.method === 'GET',
      cause,
    });
  }
}

/** What the service says beside its status is for its own developers, and stays there. */
function refused({ status, headers }: Response): UpstreamError {
  const words: Record<number, string> = {
    401: "the mail service does not take the user's authorization any more",
    403: "the user's authorization does not allow this at the mail service",
    404: 'the mail service knows no such message',
    429: 'the mail service is asked too often',
  };
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return new UpstreamError(words[status] ?? `the mail service answered ${status}`, {
    statusCode: status,
    ...(Number.isFinite(seconds) && { retryAfterMs: seconds * 1000 }),
    extra: { service: 'mail' },
  });
}
