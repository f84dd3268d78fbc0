import type { ListKind } from '#catalog';
import { refusal, silentClient } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { Exchange } from '../exchange.ts';
import { errorText, type McpDeps, type Refused, recordRefused, refused, serverInfo } from '../front.ts';
import { type CallManners, callTool, listTools, unknownMethod } from '../methods.ts';
import { legacyResult } from '../relayed-result.ts';
import { type ClientMessage, type RpcId, resultMessage } from '../rpc.ts';
import type { Session } from '../sessions.ts';
import { assumedVersion, isLegacyVersion, type LegacyVersion, legacyVersions } from './versions.ts';

/** The generation with a handshake: `initialize`, sessions, a GET stream. Revisions 2024-11-05 to 2025-11-25. */

type Request = Extract<ClientMessage, { kind: 'request' }>;

interface Context {
  readonly exchange: Exchange;
  readonly deps: McpDeps;
  readonly session: Session | null;
  readonly version: LegacyVersion;
}

/** Answers one POST. Errors of a single request are told in band, with status 200, as this generation does. */
export async function serveLegacy(
  exchange: Exchange,
  body: ClientMessage | ClientMessage[],
  deps: McpDeps,
): Promise<Result<void, Refused>> {
  if (!Array.isArray(body) && body.kind === 'request' && body.method === 'initialize') {
    return await initialize(exchange, body, deps);
  }
  const noBatch = refused(refusal('request.invalid', 'batches exist only in the revision 2025-03-26'));
  const named = exchange.request.headers['mcp-protocol-version'];
  if (Array.isArray(body) && named !== undefined && named !== '2025-03-26') return err(noBatch);
  const context = contextOf(exchange, deps);
  if (!context.ok) return context;
  if (!Array.isArray(body)) {
    if (body.kind === 'request') end(exchange, await answerTo(context.value, body));
    else acknowledge(context.value, [body]);
    return ok(undefined);
  }
  if (context.value.version !== '2025-03-26') return err(noBatch);
  await answerBatch(context.value, body);
  return ok(undefined);
}

function end(exchange: Exchange, answer: string | Buffer | null): void {
  if (answer === null) exchange.endSilently();
  else exchange.answer(200, answer);
}

async function answerBatch(context: Context, batch: ClientMessage[]): Promise<void> {
  const requests = batch.filter((message) => message.kind === 'request');
  const answers = await Promise.all(requests.map((request) => answerTo(context, request)));
  const others = batch.filter((message) => message.kind !== 'request');
  if (answers.length === 0) acknowledge(context, others);
  else {
    for (const message of others) take(context, message);
    const wanted = answers.filter((answer) => answer !== null);
    end(context.exchange, wanted.length === 0 ? null : `[${wanted.map(String).join(',')}]`);
  }
}

/** The version and session that the headers name. A client that drops the session header is served without one. */
function contextOf(exchange: Exchange, deps: McpDeps): Result<Context, Refused> {
  const { headers } = exchange.request;
  const sessionId = headers['mcp-session-id'];
  const session =
    typeof sessionId === 'string'
      ? deps.sessions.find(sessionId, exchange.caller, exchange.view.gateway.id)
      : null;
  if (sessionId !== undefined && session === null) {
    return err(
      refused(
        refusal('session.unknown', 'this session has ended; initialize again', { field: 'Mcp-Session-Id' }),
      ),
    );
  }
  const named = headers['mcp-protocol-version'];
  if (named !== undefined && !isLegacyVersion(named)) {
    const unsupported = refusal(
      'request.version_unsupported',
      `the revision ${JSON.stringify(named)} is not one we speak`,
      {
        field: 'MCP-Protocol-Version',
      },
    );
    return err(refused(unsupported, { supported: legacyVersions, requested: named }));
  }
  const version = (session?.protocolVersion as LegacyVersion | undefined) ?? named ?? assumedVersion;
  return ok({ exchange, deps, session, version });
}

async function initialize(
  exchange: Exchange,
  message: Request,
  deps: McpDeps,
): Promise<Result<void, Refused>> {
  const asked = message.params.protocolVersion;
  if (typeof asked !== 'string') {
    const missing = refusal('request.params_invalid', 'params.protocolVersion must be a string', {
      field: 'params.protocolVersion',
    });
    return err(refused(missing));
  }
  const version = isLegacyVersion(asked) ? asked : legacyVersions[0];
  const session = deps.sessions.open(exchange.caller, exchange.view.gateway.id, version);
  if (session === null) {
    return err(
      refused(refusal('session.limit', 'too many sessions are open and busy; end some, or try again later')),
    );
  }
  const { instructions } = exchange.view.gateway;
  const result = JSON.stringify({
    protocolVersion: version,
    capabilities: { tools: { listChanged: true } },
    serverInfo: serverInfo(exchange, deps),
    ...(instructions === '' ? {} : { instructions }),
  });
  exchange.answer(200, resultMessage(message.id, result), { 'mcp-session-id': session.id });
  return ok(undefined);
}

/** `null`: the client took the request back, and its HTTP response can do without an answer. */
async function answerTo(context: Context, message: Request): Promise<string | Buffer | null> {
  const cancel = new AbortController();
  const result = await resultFor(context, message, cancel);
  if (!result.ok) await recordRefused(context.exchange, result.error, context.deps);
  if (cancel.signal.aborted && context.exchange.acceptsStream) return null;
  return result.ok ? resultMessage(message.id, result.value) : errorText(message.id, result.error);
}

async function resultFor(
  context: Context,
  message: Request,
  cancel: AbortController,
): Promise<Result<string | Buffer, Refused>> {
  switch (message.method) {
    case 'ping':
      return ok('{}');
    case 'tools/list': {
      const members = await listTools(context.exchange, message.params, context.deps, 'object');
      return members.ok ? ok(`{${members.value}}`) : members;
    }
    case 'tools/call':
      return await call(context, message, cancel);
    default:
      return err(unknownMethod(message.method));
  }
}

async function call(
  { exchange, session, version, deps }: Context,
  { id, params }: Request,
  cancel: AbortController,
): Promise<Result<string | Buffer, Refused>> {
  session?.pending.set(id, cancel);
  try {
    const manners = version === '2025-11-25' ? newest : older;
    const result = await callTool(exchange, params, cancel.signal, silentClient, deps, manners);
    return result.ok ? ok(legacyResult(result.value as string | Buffer)) : result;
  } finally {
    if (session?.pending.get(id) === cancel) session.pending.delete(id);
  }
}

const older: CallManners = {
  badArguments: 'error',
  relayedCode: (code) => code,
  resourceUnknown: -32002,
  unheard: new Set(),
};
/** Since 2025-11-25 the model is told of wrong arguments, so that it can mend them (SEP-1303). */
const newest: CallManners = { ...older, badArguments: 'result' };

function acknowledge(context: Context, messages: readonly ClientMessage[]): void {
  for (const message of messages) take(context, message);
  context.exchange.empty(202);
}

function take({ session }: Context, message: ClientMessage): void {
  if (message.kind !== 'notification' || message.method !== 'notifications/cancelled') return;
  session?.pending.get(message.params.requestId as RpcId)?.abort();
}

/** GET: the stream on which this generation hears of changes. */
export function openStream(exchange: Exchange, deps: McpDeps): Result<void, Refused> {
  const session = sessionOf(exchange, deps);
  if (!session.ok) return session;
  if (!exchange.acceptsStream) {
    return err(
      refused(refusal('request.not_acceptable', 'a GET must accept text/event-stream', { field: 'Accept' })),
    );
  }
  // One stream a session: the newest wins, since the old one may be a connection that died unseen.
  session.value.stream?.end();
  exchange.beginStream({ 'mcp-session-id': session.value.id });
  exchange.response.flushHeaders();
  const { response } = exchange;
  session.value.stream = response;
  response.once('close', () => {
    if (session.value.stream === response) session.value.stream = null;
    session.value.lastSeenMs = deps.clock.now();
  });
  const changed = (list: ListKind) => `{"jsonrpc":"2.0","method":"notifications/${list}/list_changed"}`;
  const lists = new Set<ListKind>(['tools', 'prompts', 'resources']);
  deps.streams.hold(exchange.view.gateway.slug, { response, lists, changed, goodbye: null });
  return ok(undefined);
}

/** DELETE: the client says goodbye. */
export function endSession(exchange: Exchange, deps: McpDeps): Result<void, Refused> {
  const session = sessionOf(exchange, deps);
  if (!session.ok) return session;
  deps.sessions.end(session.value);
  exchange.empty(204);
  return ok(undefined);
}

function sessionOf(exchange: Exchange, deps: McpDeps): Result<Session, Refused> {
  // Asked first: clients of the generation without sessions are told so whatever version they name.
  const without = refused(
    refusal('request.method_not_allowed', 'without a session, a gateway takes only POST'),
  );
  if (exchange.request.headers['mcp-session-id'] === undefined) return err(without);
  const context = contextOf(exchange, deps);
  if (!context.ok) return context;
  return context.value.session === null ? err(without) : ok(context.value.session);
}
