import type { GatewayView } from '#catalog';
import type { Caller, CallNotification, RuleTarget } from '#domain';
import type { Exchange } from './exchange.ts';
import type { McpDeps } from './front.ts';

/** The gateway and the caller of a stream as they are now: much may have changed since it began. */
export interface Hearer {
  readonly caller: Caller;
  readonly view: GatewayView;
}

/** `null`: the caller would not be let in any more. */
export function hearerNow({ caller, request, view }: Exchange, deps: McpDeps): Hearer | null {
  const now = deps.catalog.view(view.gateway.slug);
  if (now === null) return null;
  const entered = deps.pipeline.stillThere(caller, request.headers.authorization, now.gateway);
  return entered.ok ? { caller: entered.value, view: now } : null;
}

/** Whether the caller may use anything of a source. */
export function mayUseSource({ caller, view }: Hearer, sourceId: string, { pipeline }: McpDeps): boolean {
  const { gateway, tools, prompts, resources, templates } = view;
  const mayUse = (target: RuleTarget) =>
    target.sourceId === sourceId && pipeline.permits(caller, gateway, target);
  return (
    tools.some(({ tool }) => mayUse(tool)) ||
    [...prompts, ...resources, ...templates].some(({ target }) => mayUse(target))
  );
}

/** What a source says by itself, for who may use anything of it; `null` for others, or where a rule withholds it. */
export function overheard(
  hearer: Hearer,
  sourceId: string,
  notification: CallNotification,
  deps: McpDeps,
): CallNotification | null {
  if (!mayUseSource(hearer, sourceId, deps)) return null;
  const { params } = notification;
  if (params === undefined) return notification;
  const { gateway } = hearer.view;
  const { projectId } = gateway;
  const target = { id: `says_${sourceId}`, projectId, sourceId, ruleName: `${sourceId}.notifications` };
  const passed = deps.pipeline.overheard(hearer.caller, gateway, target, params);
  return passed === null ? null : { ...notification, params: passed };
}

/** Whether the hearer may still read this. */
export function mayHearOf({ caller, view }: Hearer, uri: string, { pipeline }: McpDeps): boolean {
  const permitted = (target: RuleTarget) => pipeline.permits(caller, view.gateway, target);
  const found = view.findResource(uri, permitted);
  return found !== null && permitted(found.target);
}
