import type { AuditKind } from '@sallyport/contracts';
import { type CallNotification, type Refusal, type RpcError, type RuleTarget, refusal } from '#domain';
import { err, isMembers, type Members, newId, ok, type Result } from '#foundation';
import type { CallRefusal, Received } from '#pipeline';
import { askToConsent } from './consent.ts';
import type { Exchange } from './exchange.ts';
import type { McpDeps, Refused } from './front.ts';
import type { Answer, Asked, CallManners } from './methods.ts';
import { beginSpan, metaOf, nameSpan } from './request-span.ts';
import { bearerOf } from './tasks/calls.ts';
import { taskNotification } from './tasks/messages.ts';
import { resultOf } from './tool-result.ts';

/** A client's request for something else than a tool's run, in the names of the source it is for. */
export interface RelayedRequest {
  readonly kind: AuditKind;
  /** What was asked for, as the client spelled it. */
  readonly name: string;
  readonly target: RuleTarget | null;
  readonly unknown: Refusal;
  readonly method: string;
  readonly params: Members;
}

/** Has a source answer a request; with the keep-alive, progress and errors of a tool call. */
export async function relay(asked: Asked, request: RelayedRequest): Promise<Result<Answer, Refused>> {
  const { exchange, deps, manners } = asked;
  const stopWaiting = deps.streams.whileWaiting(() => exchange.keepAlive());
  const outcome = await deps.pipeline
    .request({ ...incoming(asked, 'rq', request), ...request })
    .finally(stopWaiting);
  if (!outcome.ok) {
    const refused = refusedBy(outcome.error, deps, manners);
    return (canAsk.has(request.method) ? askToConsent(refused, asked.client) : null) ?? err(refused);
  }
  const returned = outcome.value;
  return ok(returned.form === 'input_required' ? returned : resultOf(returned));
}

/** The requests that may be answered with a question. */
const canAsk: ReadonlySet<string> = new Set(['prompts/get', 'resources/read']);

/** What every request says to the pipeline. */
export function incoming(
  { exchange, params, signal, client, deps, manners }: Asked,
  idPrefix: string,
  { method, name, target }: Pick<RelayedRequest, 'method' | 'name' | 'target'>,
) {
  const span = exchange.span ?? beginSpan(exchange, null, deps);
  nameSpan(exchange, span, method, target === null ? null : name);
  return {
    caller: exchange.caller,
    executionId: newId(idPrefix, deps.clock.now()),
    startedAt: exchange.startedAt,
    gateway: exchange.view.gateway,
    client,
    meta: metaOf(exchange, params),
    span,
    signal,
    notify: exchange.acceptsStream
      ? (notification: CallNotification) => passOn(exchange, target, notification, deps, manners)
      : null,
  } satisfies Partial<Received>;
}

/** How the client is told of a refusal of the pipeline: in the source's own words, where it gave an error of its own. */
export function refusedBy(failed: CallRefusal, { pipeline }: McpDeps, manners: CallManners): Refused {
  const told = pipeline.told(failed);
  const { rpc } = failed;
  if (rpc === undefined) return { refusal: told, recorded: true };
  const code = manners.relayedCode(rpc.code);
  if (code !== null) return { refusal: told, recorded: true, relayed: { ...rpc, code } };
  return missingCapability(rpc) ?? { refusal: told, recorded: true };
}

/** What the source misses in the client, it misses in the client of this gateway: its capabilities are handed on. */
function missingCapability({ code, message, data }: RpcError): Refused | null {
  if (code !== -32021 || !isMembers(data) || !isMembers(data.requiredCapabilities)) return null;
  const { requiredCapabilities } = data;
  return {
    refusal: refusal('client.capability_missing', message),
    recorded: true,
    data: { requiredCapabilities },
  };
}

/** Params of a request as its source gets them: what speaks to this gateway is left out. */
export function ownParams(params: Members): Members {
  const { _meta, inputResponses: _responses, requestState: _state, ...own } = params;
  return own;
}

/** What the gateway says itself, under its own names: never in the source's words. */
export const ownNotifications: ReadonlySet<string> = new Set([
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
  'notifications/resources/updated',
]);

function passOn(
  exchange: Exchange,
  target: RuleTarget | null,
  notification: CallNotification,
  deps: McpDeps,
  { unheard }: CallManners,
): void {
  const { method } = notification;
  if (target === null || ownNotifications.has(method) || unheard.has(method)) return;
  const told = taskNotification(bearerOf(exchange), target.sourceId, notification, deps);
  if (told !== null) exchange.notify(told);
}
