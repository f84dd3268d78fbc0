import type { ProbeStep, RpcError } from '#domain';
import type { EgressFailure } from '#egress';
import { err, type Members, ok, type Result } from '#foundation';
import type { CallFailure } from '../contract.ts';
import { failureOf } from '../failure.ts';
import { credentialRefused, modernHeaders } from './era.ts';
import { nextId, type Reply } from './exchange.ts';
import type { Message } from './message.ts';
import {
  capabilityMissing,
  headerMismatch,
  methodNotFound,
  modernVersion,
  type Offer,
  versionUnsupported,
} from './protocol.ts';
import type { Session, Sessions } from './sessions.ts';
import type { Line, SessionHead } from './transport.ts';

export type EraKind = 'modern' | 'legacy';

/** A request in whichever era the server is of. */
export interface Ask {
  /** Whose session it runs in, where the server keeps sessions. */
  readonly owner: string;
  readonly method: string;
  readonly params: (era: EraKind, id: number) => object;
  /** Further header lines; the modern era only. */
  readonly modernHeaders: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | null;
  readonly onNotification: ((method: string, params: Members | undefined, id: number) => void) | null;
  /** What it is asked for, should it fail. */
  readonly step: ProbeStep;
}

/** A result, or a JSON-RPC error. */
export type RpcReply = Exclude<Reply, { kind: 'refused' }>;

export interface Answer {
  readonly reply: RpcReply;
  readonly offer: Offer;
  readonly version: string;
  readonly line: Line;
  /** `null` in the modern era. */
  readonly session: Session | null;
}

/** Not a failure of the request: it was surely not executed, as what is believed about the server no longer holds. */
export interface Stale {
  readonly stale: CallFailure;
}

/** The server that is asked, and who hears that its lists changed. */
export interface Asked {
  readonly authorizes: boolean;
  readonly onListChanged: () => void;
}

/** Where a request goes. `head` is `null` in the modern era. */
interface Place {
  readonly line: Line;
  readonly head: SessionHead | null;
  /** Whether closing the stream of the answer tells the server nothing, as there is none of its own. */
  readonly isChannel: boolean;
}

export async function askModern(
  request: Ask,
  line: Line,
  offer: Offer,
  asked: Asked,
): Promise<Result<Answer, CallFailure> | Stale> {
  const reply = await post(request, { line, head: null, isChannel: false }, asked);
  if (!reply.ok) return err(failureOf(reply.error, request.step));
  const answered = settled(reply.value, request, asked);
  if (noLongerModern(reply.value)) {
    return { stale: answered.ok ? failureOfReply(answered.value, request) : answered.error };
  }
  return answered.ok
    ? ok({ reply: answered.value, offer, line, version: modernVersion, session: null })
    : answered;
}

/** In the owner's session; once more in a new one where the server has forgotten it. */
export async function askInSession(
  request: Ask,
  sessions: Sessions,
  asked: Asked,
): Promise<Result<Answer, CallFailure> | Stale> {
  for (let attempt = 0; ; attempt++) {
    const lease = await sessions.acquire(request.owner);
    if (!lease.ok) return lease.error.notLegacy === true ? { stale: lease.error } : lease;
    const outcome = await askOnce(request, lease.value.session, asked);
    lease.value.release();
    if (!('lost' in outcome)) return outcome;
    lease.value.lose();
    if (outcome.lost === 'unsent' ? attempt > 0 : outcome.lost !== 'forgotten') return outcome.said;
    if (attempt > 0) return { stale: failureIn(outcome.said, request) };
  }
}

/** The session is gone: `forgotten` by the server, or the channel is dead, before or after the request was sent. */
interface Lost {
  readonly lost: 'forgotten' | 'unsent' | 'sent';
  readonly said: Result<Answer, CallFailure>;
}

async function askOnce(
  request: Ask,
  session: Session,
  asked: Asked,
): Promise<Result<Answer, CallFailure> | Lost> {
  const { line, offer, version, isChannel } = session;
  const head = version === modernVersion ? null : session;
  const reply = await post(request, { line, head, isChannel }, asked);
  if (!reply.ok) {
    const said = err(failureOf(reply.error, request.step));
    const isDead = isChannel && (reply.error.kind === 'unreachable' || reply.error.kind === 'interrupted');
    return isDead ? { lost: reply.error.sent ? 'sent' : 'unsent', said } : said;
  }
  const answered = settled(reply.value, request, asked);
  const said = answered.ok
    ? ok({ reply: answered.value, offer, line, version, session: head && session })
    : answered;
  return head !== null && sessionLost(reply.value) ? { lost: 'forgotten', said } : said;
}

function failureIn(said: Result<Answer, CallFailure>, request: Ask): CallFailure {
  return said.ok ? failureOfReply(said.value.reply, request) : said.error;
}

async function post(
  request: Ask,
  { line, head, isChannel }: Place,
  { onListChanged }: Asked,
): Promise<Result<Reply, EgressFailure>> {
  const { method, timeoutMs, signal } = request;
  const id = nextId();
  const params = request.params(head === null ? 'modern' : 'legacy', id);
  const headers = head === null ? modernHeaders(method) + request.modernHeaders : '';
  const onMessage = (message: Message) => {
    if (message.kind === 'notification') {
      if (isListChanged(message.method)) onListChanged();
      else request.onNotification?.(message.method, message.params, id);
    } else if (message.kind === 'request' && head !== null) {
      void line.tell(answerTo(message.id, message.method), head);
    }
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id, method, params });
  const harmless = method.endsWith('/list');
  const reply = await line.request({ id, body, headers, timeoutMs, signal, harmless, onMessage }, head);
  if (reply.ok) return reply;
  const { kind, sent } = reply.error;
  // In the modern era over HTTP, the closed stream says it.
  if ((head !== null || isChannel) && sent && (kind === 'aborted' || kind === 'timeout')) {
    const reason = kind === 'timeout' ? 'the time for the request is over' : 'the client went away';
    void line.tell({ method: 'notifications/cancelled', params: { requestId: id, reason } }, head);
  }
  return reply;
}

export function isListChanged(method: string): boolean {
  return method.startsWith('notifications/') && method.endsWith('/list_changed');
}

/** The answer that a server's request gets; no capability was claimed, so only `ping` has one. */
export function answerTo(id: string | number, method: string): object {
  if (method === 'ping') return { id, result: {} };
  return { id, error: { code: methodNotFound, message: `the gateway does not answer ${method}` } };
}

function sessionLost(reply: Reply): boolean {
  if (reply.kind === 'result') return false;
  if (reply.status === 404) return true;
  if (reply.status !== 400) return false;
  if (reply.kind === 'refused') return aboutSession.test(reply.text);
  const { code, message } = reply.error;
  return [versionUnsupported, headerMismatch, capabilityMissing].includes(code) || aboutSession.test(message);
}

const aboutSession = /session|initiali[sz]|_meta|protocol.?version/i;

/** Only a server that does not know the modern era answers a modern request like this. */
function noLongerModern(reply: Reply): boolean {
  if (reply.kind === 'result' || ![400, 404, 405].includes(reply.status)) return false;
  if (reply.kind === 'refused') return true;
  return ![-32602, methodNotFound, headerMismatch, capabilityMissing].includes(reply.error.code);
}

function settled(reply: Reply, request: Ask, { authorizes }: Asked): Result<RpcReply, CallFailure> {
  const refused = credentialRefused(reply, authorizes);
  if (refused !== null) return err(refused);
  if (reply.kind !== 'refused') return ok(reply);
  const message = `the server answered ${request.method} with HTTP ${reply.status}: ${reply.why}`;
  return err({ code: 'source.answer_invalid', message, step: request.step });
}

function failureOfReply(reply: RpcReply, request: Ask): CallFailure {
  if (reply.kind === 'error') return rpcFailure(reply.error, request);
  const message = `the server answered ${request.method} in a way that the gateway does not understand`;
  return { code: 'source.answer_invalid', message, step: request.step };
}

/** What a JSON-RPC error says to whoever asked. */
export function rpcFailure(rpc: RpcError, { method, step }: Pick<Ask, 'method' | 'step'>): CallFailure {
  const message = `the server answered ${method} with an error: ${rpc.message || 'without words'} (${rpc.code})`;
  const code = method === 'tools/call' ? 'source.tool_failed' : 'source.answer_invalid';
  return { code, message, step, rpc };
}
