import { isUtf8 } from 'node:buffer';
import type { RpcError } from '#domain';
import {
  err,
  isDeeperThan,
  isMembers,
  jsonItems,
  jsonMembers,
  type Members,
  ok,
  type Result,
} from '#foundation';

/** What is said again in our words, and no recursion takes any depth; a result is handed on as bytes. */
export const maxDepth = 64;
const tooDeep = `it is nested more than ${maxDepth} deep`;

/** A message of an MCP server, seen from the request that we wait for. */
export type Message =
  | { readonly kind: 'result'; readonly result: Members; readonly bytes: Buffer }
  | { readonly kind: 'error'; readonly error: RpcError }
  | { readonly kind: 'notification'; readonly method: string; readonly params: Members | undefined }
  | ServerRequest
  /** An answer to a request that is not ours. */
  | { readonly kind: 'foreign' };

/** What a server asks of its client; the modern era has no such messages. */
export interface ServerRequest {
  readonly kind: 'request';
  readonly id: string | number;
  readonly method: string;
  readonly params: Members | undefined;
}

/**
 * Reads one JSON-RPC message; the error says what is wrong with it. The bytes of a result are cut out as they came.
 * In the two shapes that servers really write, only the result is parsed: that it parses by itself proves the cut.
 */
export function parseMessage(body: Buffer, id: number): Result<Message, string> {
  if (!isUtf8(body)) return err('it is not UTF-8');
  const text = body.toString('utf8');
  const quick = usualShape(body, text, id);
  if (quick !== null) return ok(quick);
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return err('it is not JSON');
  }
  if (!isMembers(message)) return err('it is not a JSON object');
  if (message.jsonrpc !== '2.0') return err('it is not JSON-RPC 2.0');
  if (typeof message.method === 'string') return fromServer(message, message.method);
  return answer(message, body, id);
}

function usualShape(body: Buffer, text: string, id: number): Message | null {
  const head = `{"jsonrpc":"2.0","id":${id},"result":`;
  if (text.startsWith(head)) return cut(body, text, head.length, trimmedLength(body) - 1);
  const tail = `,"jsonrpc":"2.0","id":${id}}`;
  if (!text.startsWith('{"result":')) return null;
  const trimmed = text.trimEnd();
  return trimmed.endsWith(tail) ? cut(body, text, 10, trimmedLength(body) - tail.length) : null;
}

function cut(body: Buffer, text: string, start: number, end: number): Message | null {
  if (end <= start || body[trimmedLength(body) - 1] !== 0x7d) return null;
  const bytes = body.subarray(start, end);
  try {
    const result: unknown = JSON.parse(
      text.length === body.length ? text.slice(start, end) : bytes.toString('utf8'),
    );
    return isMembers(result) ? { kind: 'result', result, bytes } : null;
  } catch {
    return null;
  }
}

function trimmedLength(body: Buffer): number {
  let end = body.length;
  while (end > 0 && isSpace(body[end - 1] as number)) end--;
  return end;
}

function fromServer(message: Members, method: string): Result<Message, string> {
  const { id, params } = message;
  if (isDeeperThan(params, maxDepth)) return err(tooDeep);
  const given = isMembers(params) ? params : undefined;
  if (typeof id === 'string' || typeof id === 'number') {
    return ok({ kind: 'request', id, method, params: given });
  }
  return ok({ kind: 'notification', method, params: given });
}

function answer(message: Members, body: Buffer, id: number): Result<Message, string> {
  const { error, result } = message;
  if (isMembers(error)) {
    // A server that could not read the request does not know its id.
    if (message.id !== id && message.id !== null && message.id !== undefined) return ok({ kind: 'foreign' });
    const { code, message: words, data } = error;
    if (typeof code !== 'number') return err('its error has no code');
    if (isDeeperThan(data, maxDepth)) return err(tooDeep);
    return ok({
      kind: 'error',
      error: {
        code,
        message: typeof words === 'string' ? words : '',
        ...(data === undefined ? {} : { data }),
      },
    });
  }
  if (message.id !== id) return ok({ kind: 'foreign' });
  if (!isMembers(result)) return err('it holds neither a result object nor an error');
  return ok({ kind: 'result', result, bytes: resultBytes(body) });
}

/** The bytes of the top-level member `result`, the last one if there are several, of what is known to be JSON. */
export function resultBytes(json: Buffer): Buffer {
  const found = jsonMembers(json).findLast(({ name }) => name === 'result');
  return found === undefined ? json.subarray(0, 0) : json.subarray(found.valueStart, found.end);
}

/** What a server says at once: in 2025-03-26, that may be several messages in an array. */
export function messagesIn(said: Buffer): readonly Buffer[] {
  if (said[said.findIndex((byte) => !isSpace(byte))] !== 0x5b || !isJson(said)) return [said];
  const messages = jsonItems(said).map(({ start, end }) => said.subarray(start, end));
  return messages.length === 0 ? [said] : messages;
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** What a server wrote where a word should stand, for a message: it may be anything, of any size and depth. */
export function quoted(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 50)) : `(${typeof value})`;
}
