import { type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import { incomplete, maxBodyBytes, tooDeep, tooLarge } from '../http/body.ts';

/** The JSON value in a request's body. What is wrong with it is told without quoting it. */
export async function readJson(request: Request): Promise<Result<unknown, Refusal>> {
  const mediaType = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (mediaType !== 'application/json' && !/^application\/[^ ]+\+json$/.test(mediaType)) {
    return err(refusal('request.media_type', 'the body must be JSON: send content-type: application/json'));
  }
  let bytes: Uint8Array | null;
  try {
    bytes = await readBytes(request);
  } catch {
    return err(incomplete());
  }
  if (bytes === null) return err(tooLarge());
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return err(
      refusal('request.malformed', bytes.length === 0 ? 'the body is empty' : 'the body is not valid JSON'),
    );
  }
  const deep = tooDeep(value);
  return deep === null ? ok(value) : err(deep);
}

/**
 * The path of the first text, or name, in a value that is no text: with a NUL character or half a surrogate pair, which
 * JSON can say and the database cannot keep. `null` where all are.
 */
export function pathOfNoText(value: unknown, path: readonly string[] = []): string | null {
  if (typeof value === 'string') return value.includes('\0') || !value.isWellFormed() ? path.join('.') : null;
  if (typeof value !== 'object' || value === null) return null;
  for (const [name, member] of Object.entries(value)) {
    const found =
      pathOfNoText(name) === null ? pathOfNoText(member, [...path, name]) : [...path, '…'].join('.');
    if (found !== null) return found;
  }
  return null;
}

async function readBytes(request: Request): Promise<Uint8Array | null> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBodyBytes) return null;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > maxBodyBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}
