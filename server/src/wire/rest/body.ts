import { type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import { isDeeperThan, maxBodyBytes, maxDepth } from '../http/body.ts';

/** The JSON value in a request's body. What is wrong with it is told without quoting it. */
export async function readJson(request: Request): Promise<Result<unknown, Refusal>> {
  const mediaType = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (mediaType !== 'application/json' && !/^application\/[^ ]+\+json$/.test(mediaType)) {
    return err(refusal('request.media_type', 'the body must be JSON: send content-type: application/json'));
  }
  const bytes = await readBytes(request);
  if (bytes === null) {
    return err(refusal('request.too_large', `the body is larger than ${maxBodyBytes} bytes`));
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return err(
      refusal('request.malformed', bytes.length === 0 ? 'the body is empty' : 'the body is not valid JSON'),
    );
  }
  if (isDeeperThan(value, maxDepth)) {
    return err(refusal('request.too_deep', `the body is nested deeper than ${maxDepth} levels`));
  }
  return ok(value);
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
