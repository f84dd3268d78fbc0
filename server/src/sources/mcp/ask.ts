import { type LargeResult, type LogLevel, logLevels, type ProbeStep, type RpcError } from '#domain';
import type { EgressFailure } from '#egress';
import { err, type Members, ok, type Result } from '#foundation';
import type { CallFailure } from '../contract.ts';
import { failureOf } from '../failure.ts';
import { isAskable, type Owner } from './capabilities.ts';
import { credentialRefused, modernHeaders } from './era.ts';
import type { Interaction } from './interaction.ts';
import {
  capabilityMissing,
  headerMismatch,
  isListChanged,
  methodNotFound,
  modernVersion,
  type Offer,
  refusalOf,
  versionUnsupported,
} from './protocol.ts';
import type { Session, Sessions } from './sessions.ts';
import { nextId, type Reply } from './transports/exchange.ts';
import type { Message } from './transports/message.ts';
import type { Line, SessionHead } from './transports/transport.ts';

export type EraKind = 'modern' | 'legacy';

/** A request in whichever era the server is of. */
export interface Ask {
  /** Whose session it runs in, where the server keeps sessions; the key alone where it is that of no client. */
  readonly owner: string | (() => Owner);
  /** The header line of a user's authorization; `''`: none. */
  readonly authorization: string;
  /** Header lines that tell the server where in a trace it is asked; `''`: none. */
  readonly trace?: string;
  readonly method: string;
  readonly params: (era: EraKind, id: number) => object;
  /** Further header lines; the modern era only. */
  readonly modernHeaders: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | null;
  readonly onNotification: ((method: string, params: Members | undefined, id: number) => void) | null;
  /** Where the client can be asked something. */
  readonly interaction?: Interaction | null;
  /** The least severe log message that is wanted, where the server is to be told. */
  readonly logLevel?: LogLevel | null;
  /** Takes a large result while it comes. */
  readonly large?: LargeResult | null;
  /** Told each time before it is asked who is asked. */
  readonly onServer?: (offer: Offer, era: EraKind) => void;
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
  readonly offer: Offer;
  readonly head: SessionHead | null;
  /** `null` where there are none. */
  readonly session: Session | null;
}

export async function askModern(
  request: Ask,
  line: Line,
  offer: Offer,
  asked: Asked,
): Promise<Result<Answer, CallFailure> | Stale> {
  const reply = await post(request, { line, offer, head: null, session: null }, asked);
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
  owner: Owner,
  asked: Asked,
): Promise<Result<Answer, CallFailure> | Stale> {
  for (let attempt = 0; ; attempt++) {
    const lease = await sessions.acquire(owner);
    if (!lease.ok) return lease.error.notLegacy === true ? { stale: lease.error } : lease;
    const outcome = await askOnce(request, lease.value.session, asked);
    lease.value.release();
    if (!('lost' in outcome)) return outcome;
    lease.value.lose();
    // A server that forgot its sessions was probably begun anew, and may offer something else.
    asked.onListChanged();
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
  const { line, offer, version } = session;
  const head = version === modernVersion ? null : session;
  const preparing = head === null ? null : prepared(session, request);
  if (preparing !== null) await preparing;
  const reply = await post(request, { line, offer, head, session }, asked);
  if (!reply.ok) {
    const said = err(failureOf(reply.error, request.step));
    const isDead =
      line.isChannel && (reply.error.kind === 'unreachable' || reply.error.kind === 'interrupted');
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

/** What must be so before the request is sent; `null` where it is. */
function prepared(session: Session, { logLevel = null, interaction = null }: Ask): Promise<unknown> | null {
  const { hearing, owner, line, offer } = session;
  const heard = owner.conversation !== null || isAskable(owner.capabilities) ? hearing.start() : null;
  const listening = interaction === null ? null : heard;
  if (logLevel === null || offer.capabilities.logging === undefined) return listening;
  const before = hearing.level;
  // In a session of one conversation it is exactly as that client says; elsewhere what is too much is left out here.
  const isEnough = owner.conversation === null && before !== null && isAtLeast(logLevel, before);
  if (isEnough || before === logLevel) return listening;
  hearing.level = logLevel;
  return Promise.all([listening, setLevel(line, session, logLevel)]);
}

/** Done when the server took it, or did not. */
async function setLevel(line: Line, head: SessionHead, level: LogLevel): Promise<void> {
  const id = nextId();
  const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'logging/setLevel', params: { level } });
  const headers = head.bearer?.line ?? '';
  const request = { id, body, headers, timeoutMs: 5000, signal: null, harmless: true, onMessage: null };
  await line.request(request, head);
}

async function post(
  request: Ask,
  { line, offer, head, session }: Place,
  { onListChanged }: Asked,
): Promise<Result<Reply, EgressFailure>> {
  const { method, timeoutMs, signal, onNotification, interaction = null } = request;
  const id = nextId();
  const era = head === null ? 'modern' : 'legacy';
  request.onServer?.(offer, era);
  const params = request.params(era, id);
  const { authorization, trace = '' } = request;
  const headers =
    head === null
      ? authorization + trace + modernHeaders(method) + request.modernHeaders
      : authorization + trace;
  const spoken = speakingAs(authorization, head);
  const hear =
    onNotification && ((about: string, said: Members | undefined) => onNotification(about, said, id));
  const onMessage = (message: Message) => {
    if (message.kind === 'notification') {
      if (isListChanged(message.method)) onListChanged();
      else if (message.method === 'notifications/cancelled')
        interaction?.cancelled(message.params?.requestId);
      else if (message.method === 'notifications/resources/updated') session?.hearing.updated(message.params);
      else hear?.(message.method, message.params);
    } else if (message.kind === 'request' && spoken !== null) {
      const respond = (answer: object) => void line.tell(answer, spoken);
      if (interaction === null) respond(refusalOf(message));
      else interaction.arrive(message, respond);
    }
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id, method, params });
  const harmless = method.endsWith('/list');
  const moreTime = interaction === null ? {} : { moreTimeMs: interaction.moreTimeMs };
  // Only servers of the modern era give structure that older clients must get in another form.
  const large = head !== null || request.large?.anyStructure === true ? (request.large ?? null) : null;
  const underWay = session && { id, hear, interaction };
  if (underWay !== null) session?.hearing.begin(underWay);
  const reply = await line.request(
    { id, body, headers, timeoutMs, signal, harmless, onMessage, large, ...moreTime },
    head,
  );
  if (underWay !== null) session?.hearing.finish(underWay);
  if (reply.ok) return reply;
  const { kind, sent } = reply.error;
  // In the modern era over HTTP, the closed stream says it.
  if ((head !== null || line.isChannel) && sent && (kind === 'aborted' || kind === 'timeout')) {
    const reason = kind === 'timeout' ? 'the time for the request is over' : 'the client went away';
    void line.tell({ method: 'notifications/cancelled', params: { requestId: id, reason } }, spoken);
  }
  return reply;
}

/** Whatever is said beside a request is said by the same user; a session is theirs, and keeps the newest authorization. */
function speakingAs(authorization: string, head: SessionHead | null): SessionHead | null {
  if (authorization === '' || head === null) return head;
  if (head.bearer === undefined)
    return { id: head.id, version: head.version, bearer: { line: authorization } };
  head.bearer.line = authorization;
  return head;
}

/** Whether the server says that it does not know the session, so that it surely did nothing. */
export function sessionLost(reply: Reply): boolean {
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

/** Whether who hears what is at least as severe as `heard` hears what is at least as severe as `level`. */
export function isAtLeast(level: LogLevel, heard: LogLevel): boolean {
  return logLevels.indexOf(level) >= logLevels.indexOf(heard);
}

/** What a JSON-RPC error says to whoever asked. */
export function rpcFailure(rpc: RpcError, { method, step }: Pick<Ask, 'method' | 'step'>): CallFailure {
  const message = `the server answered ${method} with an error: ${rpc.message || 'without words'} (${rpc.code})`;
  const code = method === 'tools/call' ? 'source.tool_failed' : 'source.answer_invalid';
  return { code, message, step, rpc };
}
