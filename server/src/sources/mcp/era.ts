import type { SourceFailure } from '#domain';
import { err, isMembers, type Members, ok, type Result } from '#foundation';
import type { CallFailure } from '../contract.ts';
import { failureOf } from '../failure.ts';
import {
  capabilityMissing,
  clientInfo,
  headerMismatch,
  legacyVersions,
  modernMeta,
  modernVersion,
  type Offer,
  offerOf,
  serverInfoKey,
  versionUnsupported,
  withoutModernTasks,
} from './protocol.ts';
import type { HandshakeFailure } from './sessions.ts';
import { nextId, type Reply } from './transports/exchange.ts';
import { quoted } from './transports/message.ts';
import type { Bearer, Line, SessionHead } from './transports/transport.ts';

/** The header lines of a request in the modern era. */
export function modernHeaders(method: string): string {
  return `mcp-protocol-version: ${modernVersion}\r\nmcp-method: ${method}\r\n`;
}

/** A line on which it is to be found out what is at its end. */
export interface Found {
  readonly line: Line;
  readonly authorizes: boolean;
  readonly bearer?: Bearer;
}

/** The first request to a server, of either era. A credential that is refused ends it. */
async function handshake(
  { line, authorizes, bearer }: Found,
  method: string,
  params: object,
  headers: string,
  timeoutMs: number,
): Promise<Result<Reply, SourceFailure>> {
  const id = nextId();
  const body = JSON.stringify({ jsonrpc: '2.0', id, method, params });
  const sent = headers + (bearer?.line ?? '');
  const request = { id, body, headers: sent, timeoutMs, signal: null, harmless: true, onMessage: null };
  const reply = await line.request(request, null);
  if (!reply.ok) return err(failureOf(reply.error, 'authenticated'));
  const refused = credentialRefused(reply.value, authorizes);
  return refused === null ? reply : err(refused);
}

/**
 * Asks `server/discover`. `null`: the server is of the legacy era. A credential that is refused says nothing about
 * the era, and no time-out does.
 */
export async function discover(found: Found, timeoutMs: number): Promise<Result<Offer | null, CallFailure>> {
  const method = 'server/discover';
  const ask = () => handshake(found, method, { _meta: modernMeta }, modernHeaders(method), timeoutMs);
  const first = await ask();
  // A refusal that names our version as one that is spoken contradicts itself: it is taken for a passing one.
  const reply = first.ok && refusesWhatItSpeaks(first.value) ? await ask() : first;
  // A process that waits for `initialize` may leave everything else unanswered.
  if (!reply.ok) return found.line.isChannel && reply.error.code === 'source.timeout' ? ok(null) : reply;
  return verdict(reply.value);
}

function refusesWhatItSpeaks(reply: Reply): boolean {
  if (reply.kind !== 'error' || reply.error.code !== versionUnsupported) return false;
  const { data } = reply.error;
  return isMembers(data) && Array.isArray(data.supported) && data.supported.includes(modernVersion);
}

function verdict(reply: Reply): Result<Offer | null, CallFailure> {
  if (reply.kind === 'refused') return ok(null);
  if (reply.kind === 'result') {
    const { supportedVersions, capabilities, instructions, _meta } = reply.result;
    if (!Array.isArray(supportedVersions)) return ok(null);
    const serverInfo = isMembers(_meta) ? _meta[serverInfoKey] : undefined;
    if (supportedVersions.includes(modernVersion)) return ok(offerOf(capabilities, serverInfo, instructions));
    return legacyOrNone(supportedVersions);
  }
  const { code, message, data } = reply.error;
  if (code === versionUnsupported) return legacyOrNone(isMembers(data) ? data.supported : undefined);
  if (code === headerMismatch || code === capabilityMissing) {
    return err(unusable(`the server refused server/discover: ${message} (${code})`));
  }
  return ok(null);
}

function legacyOrNone(versions: unknown): Result<null, CallFailure> {
  const known = Array.isArray(versions) ? versions.filter((one) => typeof one === 'string') : [];
  if (known.length === 0 || known.some((version) => legacyVersions.includes(version))) return ok(null);
  const ours = [modernVersion, ...legacyVersions].join(', ');
  return err(unusable(`the server speaks MCP ${known.slice(0, 10).join(', ')}; the gateway speaks ${ours}`));
}

/** What a server answers to `initialize`. */
export interface Greeting extends SessionHead {
  readonly offer: Offer;
}

export async function initialize(
  found: Found,
  capabilities: Members,
  timeoutMs: number,
): Promise<Result<Greeting, HandshakeFailure>> {
  const ask = (protocolVersion: string | undefined) =>
    handshake(found, 'initialize', { protocolVersion, capabilities, clientInfo }, '', timeoutMs);
  const first = await ask(legacyVersions[0]);
  const other = first.ok ? versionInstead(first.value) : undefined;
  const reply = other === undefined ? first : await ask(other);
  if (!reply.ok) return reply;
  const session = greetingOf(reply.value);
  if (!session.ok) return session;
  const greeting = { ...session.value, ...(found.bearer === undefined ? {} : { bearer: found.bearer }) };
  // Strict servers refuse a request that overtakes this on another connection.
  await found.line.tell({ method: 'notifications/initialized' }, greeting);
  return ok(greeting);
}

/** A server answers with a version of its own; some refuse the newest one instead, and say which they speak. */
function versionInstead(reply: Reply): string | undefined {
  if (reply.kind !== 'error' || !isMembers(reply.error.data)) return undefined;
  const { supported } = reply.error.data;
  return Array.isArray(supported)
    ? legacyVersions.slice(1).find((version) => supported.includes(version))
    : undefined;
}

function greetingOf(reply: Reply): Result<Greeting, HandshakeFailure> {
  if (reply.kind === 'refused') {
    const hint =
      reply.status === 404 || reply.status === 405
        ? '; is the uri that of its MCP endpoint (often /mcp, or /sse for the old transport)?'
        : '';
    const message = `the server answered initialize with HTTP ${reply.status}: ${reply.why}${hint}`;
    const noRpc = reply.status >= 400 && reply.status < 500;
    return err({ ...unusable(message), notLegacy: true, ...(noRpc ? { noRpc } : {}) });
  }
  if (reply.kind === 'error') {
    const message = `the server refused initialize: ${reply.error.message} (${reply.error.code})`;
    return err({ ...unusable(message), notLegacy: true });
  }
  const { protocolVersion, capabilities, serverInfo, instructions } = reply.result;
  if (typeof protocolVersion !== 'string' || !legacyVersions.includes(protocolVersion)) {
    const said = quoted(protocolVersion);
    return err(
      unusable(`the server answered initialize with protocol version ${said}; the gateway does not speak it`),
    );
  }
  const id = reply.head?.header('mcp-session-id') ?? null;
  if (id !== null && !/^[\x21-\x7e]{1,1024}$/.test(id)) {
    return err(unusable('the server gave a session id that a header cannot carry'));
  }
  const declared = isMembers(capabilities) ? withoutModernTasks(capabilities) : capabilities;
  return ok({ id, version: protocolVersion, offer: offerOf(declared, serverInfo, instructions) });
}

/** 401 and 403 in words, whatever the era. */
export function credentialRefused(reply: Reply, authorizes: boolean): SourceFailure | null {
  if (reply.kind === 'result' || (reply.status !== 401 && reply.status !== 403)) return null;
  const { status, challenge: header = null } = reply;
  const wantsUser = !authorizes && header !== null && /\bbearer\b/i.test(header);
  const sent = authorizes
    ? 'it does not accept the authorization header that is registered for it'
    : wantsUser
      ? 'it wants OAuth, so the list needs a signed-in user: let an administrator connect it once (POST /v1/workers/{id}/authorize)'
      : 'no authorization header is registered for it; add one to the headers of the source';
  const message = `the MCP server refused us (HTTP ${status}): ${sent}`;
  const failure = { code: 'source.secret_refused', message, step: 'authenticated' } as const;
  return authorizes ? failure : { ...failure, challenge: { status, header } };
}

function unusable(message: string): SourceFailure {
  return { code: 'source.answer_invalid', message, step: 'authenticated' };
}
