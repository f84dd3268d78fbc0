import type { IncomingMessage } from 'node:http';

const maximumBytes = 4 * 1024 * 1024;

/** The request's JSON, or the status and text to refuse it with. */
export async function readJsonBody(
  request: IncomingMessage,
): Promise<{ ok: true; value: unknown } | { ok: false; status: 400 | 413 | 415; message: string }> {
  const contentType = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (contentType !== 'application/json') {
    return { ok: false, status: 415, message: 'the content type must be application/json' };
  }
  const tooLarge = {
    ok: false,
    status: 413,
    message: `the body is larger than ${maximumBytes} bytes`,
  } as const;
  if (Number(request.headers['content-length'] ?? 0) > maximumBytes) return tooLarge;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maximumBytes) return tooLarge;
    chunks.push(chunk);
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false, status: 400, message: 'the body is not valid JSON' };
  }
}
