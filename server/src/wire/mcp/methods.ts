import { type AuditKind, errorCodes } from '@sallyport/contracts';
import type { GatewayView } from '#catalog';
import {
  type ClientSide,
  type JsonSchema,
  type LargeResult,
  type Refusal,
  type RuleTarget,
  refusal,
  type SourceReturn,
} from '#domain';
import { err, isMembers, type Members, ok, type Result } from '#foundation';
import { withinSpan } from '#telemetry';
import { askToConsent } from './consent.ts';
import type { Exchange } from './exchange.ts';
import { type McpDeps, type Refused, record, refused } from './front.ts';
import { callMetaTool, presentsHub } from './hub/call-meta-tool.ts';
import { isMetaTool, type MetaTool, metaTools } from './hub/meta-tools.ts';
import { createPager } from './list-pages.ts';
import { incoming, refusedBy } from './relay.ts';
import { paramsInvalid } from './rpc.ts';
import { renamedUris } from './shown-uris.ts';
import { startedTask, type TaskForm, taskOf } from './tasks/calls.ts';
import { type OutputRoot, toolPages, withoutRedacted } from './tool-list.ts';
import { refusalResult, resultOf } from './tool-result.ts';

/** What the two generations have in common: the methods, before each gives the result its own form. */

/** `tools/list`: the members of the result, as JSON text without braces. */
export async function listTools(
  exchange: Exchange,
  params: Members,
  deps: McpDeps,
  outputRoot: OutputRoot,
): Promise<Result<string, Refused>> {
  const { caller, view } = exchange;
  const { gateway } = view;
  const hub = gateway.presentation === 'tools' ? null : deps.hub;
  const seen = () => hub?.listed(caller, view) ?? deps.pipeline.visible(caller, gateway, view.tools);
  const visible = await (exchange.span === null ? seen() : withinSpan({ span: exchange.span }, seen));
  if (visible === null)
    return listed(exchange, deps, 'tool_list', metaPages(metaTools, metaTools, params.cursor));
  const redactions = deps.pipeline.redactions(gateway.projectId);
  const whole = withoutRedacted(view.tools, gateway, redactions);
  const shown = withoutRedacted(visible, gateway, redactions);
  return listed(exchange, deps, 'tool_list', toolPages[outputRoot](whole, shown, params.cursor));
}

const metaPages = createPager<MetaTool>({ member: 'tools', textOf: ({ listed }) => JSON.stringify(listed) });

/** How a list is told: the members of the result, as JSON text without braces. */
export type Lister = (exchange: Exchange, params: Members, deps: McpDeps) => Promise<Result<string, Refused>>;

/** A list of what sources have beside tools: of it, what the caller may use. */
export function listerOf<Entry extends { readonly listed: object; readonly target: RuleTarget }>(
  kind: AuditKind,
  member: string,
  all: (view: GatewayView) => readonly Entry[],
): Lister {
  const pages = createPager<Entry>({ member, textOf: ({ listed }) => JSON.stringify(listed) });
  return (exchange, params, deps) => {
    const { caller, view } = exchange;
    const whole = all(view);
    const visible = whole.filter(({ target }) => deps.pipeline.permits(caller, view.gateway, target));
    return listed(exchange, deps, kind, pages(whole, visible, params.cursor));
  };
}

/** One page of a list, with its record. */
async function listed(
  exchange: Exchange,
  deps: McpDeps,
  kind: AuditKind,
  members: Result<string, Refusal>,
): Promise<Result<string, Refused>> {
  if (!members.ok) return err({ ...refused(members.error), kind });
  await record(exchange, deps, { kind, decision: 'allowed' });
  return members;
}

/** A result as JSON text; or what the source wants to know first, where the client was not to be asked at once. */
export type Answer = string | Buffer | InputRequired;
export type InputRequired = Extract<SourceReturn, { form: 'input_required' }>;

/** In what a generation tells of a request differently from the other. */
export interface CallManners {
  /** Whether wrong arguments are a result with `isError`, which the model reads, or an error. */
  readonly badArguments: 'result' | 'error';
  /** The code under which the error of a source is passed on; `null` where that code may not be told: then in words. */
  readonly relayedCode: (code: number) => number | null;
  /** The code of a resource that is not there. */
  readonly resourceUnknown: number;
  /** Notifications of sources that this generation does not have. */
  readonly unheard: ReadonlySet<string>;
  /** How it has tasks. */
  readonly tasks: TaskForm;
}

/** A client's request that a source will answer, with all that it takes to bring it there. */
export interface Asked {
  readonly exchange: Exchange;
  readonly params: Members;
  /** Aborted when the client wants no answer any more. */
  readonly signal: AbortSignal;
  readonly client: ClientSide;
  /** Takes a large result while it comes; `null` where the generation, or the form of the request, has to see all of it. */
  readonly large: LargeResult | null;
  readonly deps: McpDeps;
  readonly manners: CallManners;
}

/** How a request is made that a source answers. */
export type Relay = (asked: Asked) => Promise<Result<Answer, Refused>>;

/**
 * `tools/call`: the `CallToolResult`, as the source spoke it. What a model can act upon is a result with `isError`; an error
 * of the `Result` is one that JSON-RPC carries as an error.
 */
export async function callTool(asked: Asked): Promise<Result<Answer, Refused>> {
  const { exchange, params, deps, manners } = asked;
  const { name, arguments: args = {} } = params;
  if (typeof name !== 'string' || name === '') {
    return err(refused(paramsInvalid('params.name', 'must be the name of a tool')));
  }
  if (!isMembers(args)) return err(refused(paramsInvalid('params.arguments', 'must be an object')));
  if (isMetaTool(name) && (await presentsHub(asked, deps))) return await callMetaTool({ asked, name, args });
  const { view } = exchange;
  const stopWaiting = deps.streams.whileWaiting(() => exchange.keepAlive());
  const tool = view.find(name)?.tool ?? null;
  let outcome: Awaited<ReturnType<typeof deps.pipeline.callTool>>;
  try {
    outcome = await deps.pipeline.callTool({
      ...incoming(asked, 'te', { method: 'tools/call', name, target: tool }),
      name,
      args,
      task: taskOf(view, params, manners.tasks),
      large: tool === null || view.renamesUris(tool.sourceId) ? null : asked.large,
      find: view.find,
    });
  } finally {
    stopWaiting();
  }
  if (!outcome.ok) {
    const refused = refusedBy(outcome.error, deps, manners);
    return askToConsent(refused, asked.client) ?? failed(refused, manners, tool?.outputSchema ?? null);
  }
  const { returned, shown } = outcome.value;
  if (returned.form === 'input_required') return ok(returned);
  if (returned.passed === true) {
    exchange.passed();
    return ok(returned.form === 'mcp' ? returned.result : '{"isError":false}');
  }
  if (returned.form === 'mcp' && returned.taskId !== undefined) {
    return startedTask(exchange, shown, returned.result, returned.taskId, deps);
  }
  return ok(renamedUris(view, shown.tool.sourceId, 'tools/call', resultOf(returned)));
}

/** What the model can act upon is a result. */
function failed(
  refused: Refused,
  { badArguments }: CallManners,
  promised: JsonSchema | null,
): Result<string, Refused> {
  const { code } = refused.refusal;
  const asError =
    refused.relayed !== undefined ||
    errorCodes[code].rpc !== null ||
    (code === 'catalog.arguments_invalid' && badArguments === 'error');
  return asError ? err(refused) : ok(refusalResult(refused.refusal, promised));
}

export function unknownMethod(method: string): Refused {
  const shown = JSON.stringify(method.slice(0, 100));
  return refused(
    refusal('request.method_unknown', `this gateway has no method ${shown}`, { field: 'method' }),
  );
}
