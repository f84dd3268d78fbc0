import { refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { Exchange } from '../exchange.ts';
import { type McpDeps, type Refused, recordRefused, refused, serverInfo } from '../front.ts';
import { callTool, listTools, unknownMethod } from '../methods.ts';
import {
  type ClientMessage,
  errorMessage,
  isMembers,
  type Members,
  paramsInvalid,
  type RpcId,
  resultMessage,
} from '../rpc.ts';
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
  if (
    result.error.refusal.code !== 'catalog.tool_unknown' &&
    result.error.refusal.code !== 'request.params_invalid'
  ) {
    return result;
  }
  // What is wrong with a well-formed request is told in band.
  await recordRefused(exchange, result.error, deps);
  exchange.answer(200, errorMessage(message.id, result.error.refusal, result.error.data));
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
      const members = await listTools(exchange, message.params, deps);
      // Each caller's list is its own, and changes are announced, so nothing may be kept for others or for long.
      return members.ok
        ? ok(
            `{"resultType":"complete",${members.value},"ttlMs":0,"cacheScope":"private",${metaMember(exchange, deps)}}`,
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
  const mismatch = paramMismatch(exchange.request.headers, message.params, exchange.view);
  if (mismatch !== null) return err(refused(mismatch));
  // In this generation a client cancels by closing the response (Streamable HTTP, "Cancellation").
  const controller = new AbortController();
  const { response } = exchange;
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  const result = await callTool(exchange, message.params, controller.signal, deps);
  return result.ok ? ok(complete(result.value, metaMember(exchange, deps))) : result;
}

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

const metaMembers = new WeakMap<object, string>();

/** `"_meta":{…}` that says who we are, as JSON text. */
function metaMember(exchange: Exchange, deps: McpDeps): string {
  let text = metaMembers.get(exchange.view);
  if (text === undefined) {
    text = `"_meta":${JSON.stringify({ [`${prefix}/serverInfo`]: serverInfo(exchange, deps) })}`;
    metaMembers.set(exchange.view, text);
  }
  return text;
}

/**
 * A result with what this generation requires. The bytes of the source are kept and the members put in front, unless
 * the result holds such members already: then it is taken apart.
 */
function complete(result: string | Buffer, meta: string): string | Buffer {
  if (result.includes('"resultType"') || result.includes('"_meta"')) {
    const parsed = JSON.parse(result.toString()) as Members;
    const own = JSON.parse(`{${meta}}`) as { _meta: Members };
    return JSON.stringify({
      resultType: 'complete',
      ...parsed,
      _meta: { ...(isMembers(parsed._meta) ? parsed._meta : {}), ...own._meta },
    });
  }
  const members = `{"resultType":"complete",${meta}`;
  const start = typeof result === 'string' ? result.indexOf('{') + 1 : result.indexOf(0x7b) + 1;
  const rest = typeof result === 'string' ? result.slice(start) : result.subarray(start);
  const isEmpty = rest.toString().trimStart().startsWith('}');
  const joint = isEmpty ? '' : ',';
  return typeof rest === 'string'
    ? `${members}${joint}${rest}`
    : Buffer.concat([Buffer.from(members + joint), rest]);
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
  const changed = JSON.stringify({
    jsonrpc: '2.0',
    method: 'notifications/tools/list_changed',
    params: { _meta: subscription },
  });
  const goodbye = goodbyeOf(message.id, subscription);
  const slug = honoured.toolsListChanged === true ? exchange.view.gateway.slug : null;
  deps.streams.hold(slug, { response: exchange.response, changed, goodbye });
  return ok(undefined);
}

function goodbyeOf(id: RpcId, subscription: Members): string {
  return resultMessage(id, JSON.stringify({ resultType: 'complete', _meta: subscription })).toString();
}
