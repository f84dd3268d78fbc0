import { isUtf8 } from 'node:buffer';
import { errorCodes } from '@sallyport/contracts';
import { type InputAnswer, type Refusal, type RpcError, refusal } from '#domain';
import { err, isMembers, type Members, ok, type Result } from '#foundation';
import { tooDeep } from '../http/body.ts';

export type RpcId = string | number;
/** One JSON-RPC 2.0 message that a client may send. */
export type ClientMessage =
  | { readonly kind: 'request'; readonly id: RpcId; readonly method: string; readonly params: Members }
  | { readonly kind: 'notification'; readonly method: string; readonly params: Members }
  | { readonly kind: 'response'; readonly id: RpcId; readonly answer: InputAnswer };

/** Parses a body: one message, or a batch. A refusal names the member at fault. */
export function parseBody(body: Buffer): Result<ClientMessage | ClientMessage[], Refusal> {
  if (!isUtf8(body)) return err(refusal('request.malformed', 'the body is not UTF-8'));
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    // The parser's own words quote the body, which must not come into a record.
    return err(refusal('request.malformed', 'the body is not valid JSON'));
  }
  const deep = tooDeep(parsed);
  if (deep !== null) return err(deep);
  return Array.isArray(parsed) ? parseBatch(parsed) : parseMessage(parsed);
}

const maxBatch = 50;

function parseBatch(items: unknown[]): Result<ClientMessage[], Refusal> {
  if (items.length === 0 || items.length > maxBatch) {
    return err(refusal('request.invalid', `a batch holds 1 to ${maxBatch} messages`));
  }
  const messages: ClientMessage[] = [];
  for (const item of items) {
    const message = parseMessage(item);
    if (!message.ok) return message;
    messages.push(message.value);
  }
  return ok(messages);
}

function parseMessage(value: unknown): Result<ClientMessage, Refusal> {
  if (!isMembers(value)) return err(invalid('body', 'must be a JSON-RPC object'));
  const { jsonrpc, id, method, params } = value;
  if (jsonrpc !== '2.0') return err(invalid('jsonrpc', 'must be "2.0"'));
  // An id that JavaScript cannot hold could not be given back.
  if (id !== undefined && typeof id !== 'string' && !Number.isSafeInteger(id)) {
    return err(invalid('id', 'must be a string or an integer of at most 53 bits'));
  }
  if (method === undefined && id !== undefined && ('result' in value || 'error' in value)) {
    return ok({ kind: 'response', id: id as RpcId, answer: answerOf(value) });
  }
  if (typeof method !== 'string') return err(invalid('method', 'must be a string'));
  if (params !== undefined && !isMembers(params)) return err(invalid('params', 'must be an object'));
  const members = (params ?? {}) as Members;
  if (members._meta !== undefined && !isMembers(members._meta))
    return err(invalid('params._meta', 'must be an object'));
  return ok(
    id === undefined
      ? { kind: 'notification', method, params: members }
      : { kind: 'request', id: id as RpcId, method, params: members },
  );
}

/** What a client answers to a question of ours. One that it garbled is an error too: somebody waits for it. */
function answerOf({ result, error }: Members): InputAnswer {
  if (isMembers(result)) return { result };
  const { code, message, data } = isMembers(error) ? error : ({} as Members);
  if (typeof code !== 'number' || typeof message !== 'string')
    return { error: { code: -32603, message: 'the client answered neither a result nor an error' } };
  return { error: { code, message, ...(data === undefined ? {} : { data }) } };
}

function invalid(field: string, problem: string): Refusal {
  return refusal('request.invalid', `${field} ${problem}`, { field });
}

export function paramsInvalid(field: string, problem: string): Refusal {
  return refusal('request.params_invalid', `${field} ${problem}`, { field });
}

/** A JSON-RPC response around a result that is JSON text, or JSON bytes, already. */
export function resultMessage(id: RpcId, result: string | Buffer): string | Buffer {
  const head = resultFront(id);
  if (typeof result === 'string') return `${head}${result}}`;
  return Buffer.concat([Buffer.from(head), result, closingBrace]);
}

/** The message up to its result. */
export function resultFront(id: RpcId): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`;
}

const closingBrace = Buffer.from('}');

/** The text of a JSON-RPC error. `data.name` is our stable code. */
export function errorMessage(
  id: RpcId | null,
  { code, message, field, details }: Refusal,
  data: Members = {},
): string {
  const error = {
    code: errorCodes[code].rpc ?? (errorCodes[code].status === 400 ? -32602 : -32603),
    message,
    data: {
      name: code,
      ...(field === undefined ? {} : { field }),
      ...(details === undefined ? {} : { details }),
      // Where some clients look for it.
      ...(details?.authorization_url === undefined ? {} : { authorization_url: details.authorization_url }),
      ...data,
    },
  };
  return JSON.stringify({ jsonrpc: '2.0', id, error });
}

/** The text of a JSON-RPC error of a source, as it came. */
export function relayedError(id: RpcId | null, { code, message, data }: RpcError): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, data } });
}
