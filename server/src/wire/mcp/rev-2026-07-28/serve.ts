import type { ListKind, ShownTool } from '#catalog';
import { refusal, silentClient } from '#domain';
import { err, isMembers, type Members, ok, type Result } from '#foundation';
import type { Exchange } from '../exchange.ts';
import { errorText, type McpDeps, type Refused, recordRefused, refused, serverInfo } from '../front.ts';
import { type CallManners, callTool, listTools, unknownMethod } from '../methods.ts';
import { completeResult } from '../relayed-result.ts';
import { type ClientMessage, paramsInvalid, type RpcId, resultMessage } from '../rpc.ts';
import { headerMismatch, paramMismatch } from './headers.ts';

/** The generation without a handshake: every request says who asks and in which revision; nothing is kept between two. */

export const modernVersion = '2026-07-28';
const prefix = 'io.modelcontextprotocol';

type Request = Extract<ClientMessage, { kind: 'request' }>;

/** Whether a message, or its headers, speak this generation. Every revision from this one on does. */
export function isModern(header: string | undefined, message: ClientMessage): boolean {
  if (header !== undefined && header >= modernVersion) return true;
  if (message.kind === 'response') return false;
  const meta = message.params._meta;
  return isMembers(meta) && meta[`${prefix}/protocolVersion`] !== undefined;
}

/** Answers one POST. */
export async function serveModern(
  exchange: Exchange,
  message: ClientMessage,
  deps: McpDeps,
): Promise<Result<void, Refused>> {
  if (message.kind === 'response') {
    return err(refused(refusal('request.invalid', `a client sends no responses in ${modernVersion}`)));
  }
  const fault = envelopeFault(exchange, message);
  if (fault !== null) return err(fault);
  if (message.kind === 'notification') {
    exchange.empty(202);
    return ok(undefined);
  }
  if (message.method === 'subscriptions/listen') return listen(exchange, message, deps);

  const result = await resultFor(exchange, message, deps);
  if (result.ok) {
    exchange.answer(200, resultMessage(message.id, result.value));
    return ok(undefined);
  }
  // What is wrong with a well-formed request is told in band.
  const inBand = ['catalog.tool_unknown', 'request.params_invalid'].includes(result.error.refusal.code);
  if (!inBand && result.error.relayed === undefined) return result;
  await recordRefused(exchange, result.error, deps);
  exchange.answer(200, errorText(message.id, result.error));
  return ok(undefined);
}

/** What is wrong with the version, the headers or `_meta` (SEP-2243, SEP-2575). */
function envelopeFault(
  { request }: Exchange,
  message: Exclude<ClientMessage, { kind: 'response' }>,
): Refused | null {
  const header = request.headers['mcp-protocol-version'];
  const meta = (message.params._meta ?? {}) as Members;
  const version = meta[`${prefix}/protocolVersion`];
  if (message.kind === 'request' && typeof version !== 'string') {
    return refused(paramsInvalid(`params._meta["${prefix}/protocolVersion"]`, 'is missing'));
  }
  if (header === undefined) return refused(versionMismatch('is missing'));
  if (version !== undefined && header !== version)
    return refused(versionMismatch('is not the version of the body'));
  if (header !== modernVersion) {
    const unsupported = refusal(
      'request.version_unsupported',
      `the revision ${JSON.stringify(header)} is not one we speak`,
    );
    return refused(unsupported, { supported: [modernVersion], requested: header });
  }
  if (message.kind === 'request' && !isMembers(meta[`${prefix}/clientCapabilities`])) {
    return refused(paramsInvalid(`params._meta["${prefix}/clientCapabilities"]`, 'must be an object'));
  }
  // The revision defines no headers for notifications.
  if (message.kind === 'notification' && request.headers['mcp-method'] === undefined) return null;
  const mismatch = headerMismatch(request.headers, message.method, message.params);
  return mismatch === null ? null : refused(mismatch);
}

function versionMismatch(problem: string) {
  return refusal('request.header_mismatch', `the header MCP-Protocol-Version ${problem}`, {
    field: 'MCP-Protocol-Version',
  });
}

async function resultFor(
  exchange: Exchange,
  message: Request,
  deps: McpDeps,
): Promise<Result<string | Buffer, Refused>> {
  switch (message.method) {
    case 'server/discover':
      return ok(discover(exchange, deps));
    case 'tools/list': {
      const members = await listTools(exchange, message.params, deps, 'any');
      // Each caller's list is its own, and changes are announced, so nothing may be kept for others or for long.
      return members.ok
        ? ok(
            `{"resultType":"complete",${members.value},"ttlMs":0,"cacheScope":"private","_meta":{"${prefix}/serverInfo":${serverInfoText(exchange, deps)}}}`,
          )
        : members;
    }
    case 'tools/call':
      return await call(exchange, message, deps);
    default:
      return err(unknownMethod(message.method));
  }
}

async function call(
  exchange: Exchange,
  message: Request,
  deps: McpDeps,
): Promise<Result<string | Buffer, Refused>> {
  const mismatch = paramMismatch(exchange.request.headers, message.params, exchange.view, (shown) =>
    maySee(exchange, shown, deps),
  );
  if (mismatch !== null) return err(refused(mismatch));
  // In this generation a client cancels by closing the response (Streamable HTTP, "Cancellation").
  const controller = new AbortController();
  const { response } = exchange;
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  const result = await callTool(exchange, message.params, controller.signal, silentClient, deps, manners);
  return result.ok
    ? ok(completeResult(result.value as string | Buffer, serverInfoText(exchange, deps)))
    : result;
}

/** No header check may tell of a tool that the caller may not see. */
function maySee({ caller, view }: Exchange, shown: ShownTool, { pipeline }: McpDeps): boolean {
  return pipeline.visible(caller, view.gateway, [shown]).length > 0;
}

/** Codes that this revision retired, and codes of its own whose meaning a source would put into our mouth. */
const manners: CallManners = {
  badArguments: 'result',
  resourceUnknown: -32602,
  unheard: new Set(['notifications/elicitation/complete', 'notifications/tasks/status']),
  relayedCode(code) {
    if (code === -32002) return -32602;
    return code === -32042 || (code <= -32020 && code >= -32099) ? null : code;
  },
};

function discover(exchange: Exchange, deps: McpDeps): string {
  const { instructions } = exchange.view.gateway;
  return JSON.stringify({
    resultType: 'complete',
    supportedVersions: [modernVersion],
    capabilities: { tools: { listChanged: true } },
    ...(instructions === '' ? {} : { instructions }),
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { [`${prefix}/serverInfo`]: serverInfo(exchange, deps) },
  });
}

const serverInfoTexts = new WeakMap<object, string>();

/** Who we are, as JSON text. */
function serverInfoText(exchange: Exchange, deps: McpDeps): string {
  let text = serverInfoTexts.get(exchange.view);
  if (text === undefined) {
    text = JSON.stringify(serverInfo(exchange, deps));
    serverInfoTexts.set(exchange.view, text);
  }
  return text;
}

/** `subscriptions/listen`: the stream on which this generation hears of changes. */
function listen(exchange: Exchange, message: Request, deps: McpDeps): Result<void, Refused> {
  const asked = message.params.notifications;
  if (!isMembers(asked)) return err(refused(paramsInvalid('params.notifications', 'must be an object')));
  if (!exchange.acceptsStream) {
    return err(
      refused(
        refusal('request.not_acceptable', 'listening needs Accept: text/event-stream', { field: 'Accept' }),
      ),
    );
  }
  const honoured = asked.toolsListChanged === true ? { toolsListChanged: true } : {};
  const subscription = { [`${prefix}/subscriptionId`]: message.id };
  exchange.notify({
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications: honoured, _meta: subscription },
  });
  const changed = (list: ListKind) =>
    JSON.stringify({
      jsonrpc: '2.0',
      method: `notifications/${list}/list_changed`,
      params: { _meta: subscription },
    });
  const lists = new Set<ListKind>(['tools']);
  const goodbye = goodbyeOf(message.id, {
    ...subscription,
    [`${prefix}/serverInfo`]: serverInfo(exchange, deps),
  });
  const slug = honoured.toolsListChanged === true ? exchange.view.gateway.slug : null;
  deps.streams.hold(slug, { response: exchange.response, lists, changed, goodbye });
  return ok(undefined);
}

function goodbyeOf(id: RpcId, meta: Members): string {
  return resultMessage(id, JSON.stringify({ resultType: 'complete', _meta: meta })).toString();
}
