import type { GatewayView, ShownTool } from '#catalog';
import type { Caller, Gateway } from '#domain';
import type { Policy } from '#policy';
import type { Sources } from '#sources';

interface Rooms {
  readonly policy: Policy;
  readonly sources: Sources;
}

/**
 * Only of what is surely so: of workers, which keep nothing from one call to the next, and tools that need nothing of the user. What
 * is refused before it ran does not matter here, as long as all know the same.
 */
export function standsAlone(
  { principal }: Caller,
  gateway: Gateway,
  shown: ShownTool | null,
  { policy, sources }: Rooms,
): boolean {
  const { projectId } = gateway;
  if (shown === null) return policy.standsAlone(projectId, gateway, null);
  const { tool } = shown;
  const { authorization, secrets } = tool.requirements;
  if (!tool.available || tool.quarantined || !principal.permissions.has('call')) return false;
  if (authorization !== null || (secrets ?? []).length > 0) return false;
  if (!keepsNothing(tool.projectId, tool.sourceId, sources)) return false;
  return policy.standsAlone(projectId, gateway, tool);
}

/** The tools of a view are another list when one of them is. */
const withSome = new WeakMap<readonly ShownTool[], boolean>();

/** Looked at before anything is known of a request, so it costs next to nothing. */
export function someStandAlone(
  { gateway, tools }: Pick<GatewayView, 'gateway' | 'tools'>,
  { policy, sources }: Rooms,
): boolean {
  if (!policy.standsAlone(gateway.projectId, gateway, null)) return false;
  const known = withSome.get(tools);
  if (known !== undefined) return known;
  const some = tools.some(({ tool }) => keepsNothing(tool.projectId, tool.sourceId, sources));
  withSome.set(tools, some);
  return some;
}

function keepsNothing(projectId: string, sourceId: string, sources: Sources): boolean {
  const source = sources.get(projectId, sourceId);
  return source?.kind === 'worker' && source.enabled;
}
