import type { IncomingMessage } from 'node:http';

const maximumBytes = 4 * 1024 * 1024;

/** The request's body as it was received, or why it is refused. */
export async function readBody(
  request: IncomingMessage,
): Promise<{ ok: true; bytes: Buffer } | { ok: false; message: string }> {
  const tooLarge = { ok: false, message: `the body is larger than ${maximumBytes} bytes` } as const;
  if (Number(request.headers['content-length'] ?? 0) > maximumBytes) return tooLarge;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maximumBytes) return tooLarge;
    chunks.push(chunk);
  }
  return { ok: true, bytes: Buffer.concat(chunks) };
}

/** The JSON of a body that came with this content type, or the status and text to refuse it with. */
export function jsonOf(
  bytes: Buffer,
  contentType: string | undefined,
): { ok: true; value: unknown } | { ok: false; status: 400 | 415; message: string } {
  if ((contentType ?? '').split(';')[0]?.trim().toLowerCase() !== 'application/json') {
    return { ok: false, status: 415, message: 'the content type must be application/json' };
  }
  try {
    return { ok: true, value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch {
    return { ok: false, status: 400, message: 'the body is not valid JSON' };
  }
}
