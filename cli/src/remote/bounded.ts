import { CommandError } from '../command-error.ts';

/**
 * The answer, which ends with an error once its body is longer: a peer cannot make us keep without bound. `onTooLarge` is
 * for who reads it through a library that does not pass the error on.
 */
export function bounded(
  response: Response,
  greatestBytes: number,
  onTooLarge: (error: CommandError) => void = () => undefined,
): Response {
  if (response.body === null) return response;
  const { status, statusText, headers } = response;
  let bytes = 0;
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength;
        if (bytes <= greatestBytes) return controller.enqueue(chunk);
        const error = tooLarge(greatestBytes);
        controller.error(error);
        onTooLarge(error);
      },
    }),
  );
  return new Response(counted, { status, statusText, headers });
}

const tooLarge = (greatestBytes: number): CommandError =>
  new CommandError(
    'remote.answer_too_large',
    `it answers with more than ${Math.round(greatestBytes / 1024 / 1024)} MiB`,
  );

/** How a refusal begins, by whom it is read: not all that a peer may say in it, and not for ever. */
export async function beginning(response: Response, timeoutMs: number): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return '';
  const decoder = new TextDecoder();
  let text = '';
  const late = setTimeout(() => void reader.cancel().catch(() => undefined), timeoutMs);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (value !== undefined) text += decoder.decode(value, { stream: true });
      if (done || text.length >= greatestRefusal) return text.slice(0, greatestRefusal);
    }
  } catch {
    return text;
  } finally {
    clearTimeout(late);
    void reader.cancel().catch(() => undefined);
  }
}

const greatestRefusal = 64 * 1024;
