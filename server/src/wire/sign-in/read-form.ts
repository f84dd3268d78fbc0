import type { IncomingMessage } from 'node:http';
import { readBody } from '../http/body.ts';

const maxFormBytes = 32 * 1024;

/** The fields of a form; `null` for anything else, and for more than any form of ours sends. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams | null> {
  const { 'content-type': type = '', 'content-length': length } = request.headers;
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) return null;
  if (!(Number(length) <= maxFormBytes)) return null;
  const body = await readBody(request);
  return body.ok ? new URLSearchParams(body.value.toString('utf8')) : null;
}
