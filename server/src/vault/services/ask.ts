import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Fault, messageOf } from '#foundation';

const longestWords = 300;

/** One request to a key service, or to who signs us in there. */
export interface Question {
  /** For errors: `AWS KMS, root key "main"`. */
  readonly who: string;
  readonly send: typeof fetch;
  readonly request: Request;
  /** Taken out of whatever is told of an answer. */
  readonly secrets: readonly (string | undefined)[];
  /** What to do when it refuses. */
  readonly advice: string;
}

/** The answer's text; a Fault that says who did not answer or refused, why, and what to do. */
export async function ask({ who, send, request, secrets, advice }: Question): Promise<string> {
  const { origin } = new URL(request.url);
  let answer: Response;
  try {
    answer = await send(request);
  } catch (error) {
    throw new Fault(`${who} cannot be reached at ${origin}: ${messageOf(error)}`);
  }
  const text = await answer.text();
  if (answer.ok) return text;
  let words = wordsOf(text);
  for (const secret of secrets)
    if (secret !== undefined && secret.length > 3) words = words.replaceAll(secret, '[redacted]');
  const said = words === '' ? '' : `: ${words.slice(0, longestWords)}`;
  throw new Fault(`${who} refused at ${origin} with HTTP ${answer.status}${said}. ${advice}`);
}

/** The member of an answer in JSON that holds text; a Fault where it is not there. */
export function member(who: string, text: string, ...path: readonly string[]): string {
  let here: unknown;
  try {
    here = JSON.parse(text);
  } catch {
    throw new Fault(`${who} answered with something else than JSON`);
  }
  for (const key of path) here = (here as Record<string, unknown> | null | undefined)?.[key];
  if (typeof here === 'string' && here !== '') return here;
  throw new Fault(`${who} answered without ${path.join('.')}`);
}

/** A file that the platform keeps up to date, such as a token: read anew each time. */
export async function readToken(who: string, path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new Fault(`${who}: the token file ${path} cannot be read (${code})`);
  }
}

/** For services that bind nothing to a context: it is wrapped with the key. */
export function withContext(bytes: Buffer, context: string): Buffer {
  return Buffer.concat([digestOf(context), bytes]);
}

export function withoutContext(who: string, wrapped: Buffer, context: string): Buffer {
  const digest = digestOf(context);
  if (wrapped.subarray(0, digest.length).equals(digest)) return wrapped.subarray(digest.length);
  throw new Fault(`${who}: what was unwrapped is another key than the one asked for`);
}

function digestOf(context: string): Buffer {
  return createHash('sha256').update(context).digest();
}

/** How the services say in JSON what was wrong. */
function wordsOf(text: string): string {
  try {
    const { __type, message, Message, error, error_description, errors } = JSON.parse(text);
    const inner = typeof error === 'object' && error !== null ? error : {};
    const said = [
      __type,
      inner.status ?? inner.code ?? error,
      error_description,
      message,
      Message,
      inner.message,
    ]
      .concat(errors)
      .filter((one) => typeof one === 'string');
    return said.join(', ').replaceAll(/\s+/g, ' ');
  } catch {
    const [, code, message] = /<Code>([^<]*)<\/Code>[\s\S]*?<Message>([^<]*)<\/Message>/.exec(text) ?? [];
    return code === undefined ? '' : `${code}, ${message}`;
  }
}
