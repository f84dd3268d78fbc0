import type { AuditKind } from '@sallyport/contracts';
import type { ShownTool } from '#catalog';
import { type Refusal, refusal } from '#domain';
import { err, type MaybePromise, ok, type Result } from '#foundation';
import { modernCapabilities } from '../capabilities.ts';
import { complete } from '../completion.ts';
import type { Exchange } from '../exchange.ts';
import { extensionRequest } from '../extensions.ts';
import {
  errorText,
  instructionsFor,
  type McpDeps,
  type Refused,
  recordRefused,
  refused,
  serverInfo,
} from '../front.ts';
import { mayUseSource } from '../hearing.ts';
import { hasExecutionTasks } from '../hub/execution-tasks.ts';
import { type CallManners, callTool, listTools, type Relay } from '../methods.ts';
import { getPrompt, listPrompts } from '../prompts.ts';
import { completeResult, readResult } from '../relayed-result.ts';
import { listResources, listTemplates, readResource } from '../resources.ts';
import { type ClientMessage, resultMessage } from '../rpc.ts';
import { taskRequest } from '../tasks/tasks.ts';
import { clientOf, interactive, isRetry } from './client.ts';
import { envelopeFault, modernVersion, prefix } from './envelope.ts';
import { paramMismatch } from './headers.ts';
import { inputRequiredResult } from './input-required.ts';
import { listen } from './listen.ts';

/** The generation without a handshake: every request says who asks and in which revision; nothing is kept between two. */

type Request = Extract<ClientMessage, { kind: 'request' }>;
type Outcome = Result<string | Buffer, Refused>;

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
  if (message.method === 'subscriptions/listen') return await listen(exchange, message, deps);

  const result = await resultFor(exchange, message, deps);
  if (result.ok) {
    exchange.answer(200, resultMessage(message.id, result.value));
    return ok(undefined);
  }
  if (!isInBand(result.error)) return result;
  await recordRefused(exchange, result.error, deps);
  exchange.answer(200, errorText(message.id, result.error));
  return ok(undefined);
}

/** What is wrong with a well-formed request, or with the source that it went to, is told with status 200. */
function isInBand({ refusal: { code }, relayed }: Refused): boolean {
  return (
    relayed !== undefined ||
    /^(catalog|source|task)\./.test(code) ||
    ['request.params_invalid', 'request.state_invalid'].includes(code)
  );
}

function resultFor(exchange: Exchange, message: Request, deps: McpDeps): MaybePromise<Outcome> {
  const { params } = message;
  switch (message.method) {
    case 'server/discover':
      return ok(discover(exchange, deps));
    case 'tools/list':
      return listResult(listTools(exchange, params, deps, 'any'), exchange, deps);
    case 'tools/call':
      return call(exchange, message, deps);
    case 'prompts/list':
      return listResult(listPrompts(exchange, params, deps), exchange, deps);
    case 'prompts/get':
      return relayed(exchange, message, 'prompt_get', getPrompt, deps);
    case 'resources/list':
      return listResult(listResources(exchange, params, deps), exchange, deps);
    case 'resources/templates/list':
      return listResult(listTemplates(exchange, params, deps), exchange, deps);
    case 'resources/read':
      return relayed(exchange, message, 'resource_read', readResource, deps);
    case 'completion/complete':
      return relayed(exchange, message, 'completion', complete, deps);
    case 'tasks/get':
    case 'tasks/update':
    case 'tasks/cancel':
      return relayed(exchange, message, 'task', taskRequest(message.method), deps);
    default:
      return relayed(exchange, message, 'extension', extensionRequest(message.method), deps);
  }
}

/** Each caller's list is its own, and changes are announced, so nothing may be kept for others or for long. */
async function listResult(
  listing: Promise<Result<string, Refused>>,
  exchange: Exchange,
  deps: McpDeps,
): Promise<Outcome> {
  const members = await listing;
  if (!members.ok) return members;
  const info = serverInfoText(exchange, deps);
  return ok(
    `{"resultType":"complete",${members.value},"ttlMs":0,"cacheScope":"private","_meta":{"${prefix}/serverInfo":${info}}}`,
  );
}

function call(exchange: Exchange, message: Request, deps: McpDeps): MaybePromise<Outcome> {
  const goOn = (mismatch: Refusal | null): MaybePromise<Outcome> =>
    mismatch === null ? relayed(exchange, message, 'tool_call', callTool, deps) : err(refused(mismatch));
  const mismatch = paramMismatch(exchange.request.headers, message.params, exchange.view, (shown) =>
    maySee(exchange, shown, deps),
  );
  return mismatch instanceof Promise ? mismatch.then(goOn) : goOn(mismatch);
}

/** A request that a source answers: with its result, or with what it wants to know first. */
async function relayed(
  exchange: Exchange,
  { id, method, params }: Request,
  kind: AuditKind,
  ask: Relay,
  deps: McpDeps,
): Promise<Outcome> {
  const client = clientOf(exchange, method, params, deps);
  if (!client.ok) return err({ ...refused(client.error), kind });
  const signal = goneSignal(exchange);
  const large = exchange.large(id, true);
  const answer = await ask({ exchange, params, signal, client: client.value, large, deps, manners });
  if (!answer.ok) return answer;
  const { value } = answer;
  if (typeof value !== 'string' && !Buffer.isBuffer(value)) {
    if (!interactive.has(method)) return err(asksForNothing(method));
    return inputRequiredResult(exchange, method, params, value, client.value, deps);
  }
  const info = serverInfoText(exchange, deps);
  return ok(
    method === 'resources/read'
      ? readResult(value, info, isRetry(method, params))
      : completeResult(value, info),
  );
}

function asksForNothing(method: string): Refused {
  const message = `the source answered ${method} with questions to the client, which are not for that request`;
  return { refusal: refusal('source.answer_invalid', message), recorded: true };
}

/** In this generation a client cancels by closing the response (Streamable HTTP, "Cancellation"). */
function goneSignal({ response }: Exchange): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}

/** No header check may tell of a tool that the caller may not see. */
async function maySee({ caller, view }: Exchange, shown: ShownTool, { pipeline }: McpDeps): Promise<boolean> {
  return (await pipeline.visible(caller, view.gateway, [shown])).length > 0;
}

/** Codes that this revision retired, and codes of its own whose meaning a source would put into our mouth. */
const manners: CallManners = {
  badArguments: 'result',
  resourceUnknown: -32602,
  unheard: new Set(['notifications/elicitation/complete', 'notifications/tasks/status']),
  tasks: 'extension',
  relayedCode(code) {
    if (code === -32002) return -32602;
    return code === -32042 || (code <= -32020 && code >= -32099) ? null : code;
  },
};

function discover(exchange: Exchange, deps: McpDeps): string {
  const { view } = exchange;
  const instructions = instructionsFor(exchange, deps);
  return JSON.stringify({
    resultType: 'complete',
    supportedVersions: [modernVersion],
    capabilities: modernCapabilities(
      view,
      (sourceId) => mayUseSource(exchange, sourceId, deps),
      hasExecutionTasks(exchange, deps),
    ),
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
