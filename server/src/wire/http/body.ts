import { type Refusal, refusal } from '#domain';
import { err, isDeeperThan, type MaybePromise, ok, type Result } from '#foundation';
import { WholeRequest } from './fast/whole-request.ts';
import type { HttpRequest } from './message.ts';

/** Bytes of a request's body that a front accepts, unless it says more. */
export const maxBodyBytes = 4 * 1024 * 1024;
/** Levels of nesting that a JSON body may have. */
const maxDepth = 64;

/** The whole body; `request.too_large` as soon as it is known to be over the cap, with the rest left unread. */
export function readBody(
  request: HttpRequest,
  maxBytes: number = maxBodyBytes,
): MaybePromise<Result<Buffer, Refusal>> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > maxBytes) return err(tooLarge(maxBytes));
  if (request instanceof WholeRequest) return ok(request.body);
  // The client went away before anybody listened.
  if (request.destroyed) return err(incomplete());
  return new Promise((resolve) => {
    let first: Buffer | null = null;
    let rest: Buffer[] | null = null;
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) {
        request.removeAllListeners('data');
        request.pause();
        resolve(err(tooLarge(maxBytes)));
      } else if (first === null) first = chunk;
      else if (rest === null) rest = [first, chunk];
      else rest.push(chunk);
    });
    request.on('end', () =>
      resolve(ok(rest !== null ? Buffer.concat(rest, length) : (first ?? Buffer.alloc(0)))),
    );
    request.on('error', () => resolve(err(incomplete())));
  });
}

export function tooLarge(maxBytes: number = maxBodyBytes): Refusal {
  return refusal('request.too_large', `the body is larger than ${maxBytes} bytes`);
}

export function incomplete(): Refusal {
  return refusal('request.invalid', 'the request ended before its body was complete');
}

/** The refusal of parsed JSON that is nested too deep: of a body, or of what is named as such. */
export function tooDeep(value: unknown, field?: string): Refusal | null {
  if (!isDeeperThan(value, maxDepth)) return null;
  const message = `${field ?? 'the body'} is nested deeper than ${maxDepth} levels`;
  return refusal('request.too_deep', message, field === undefined ? {} : { field });
}
