import type { GatewayView, ShownTool } from '#catalog';
import type { Credentials } from '#credentials';
import type { Caller, Gateway, Tool } from '#domain';
import type { Policy } from '#policy';
import type { Sources } from '#sources';

interface Rooms {
  readonly policy: Policy;
  readonly credentials: Credentials;
  readonly sources: Sources;
}

/**
 * Only of what is surely so: of sources that keep nothing from one call to the next, and tools that need nothing of the user. What
 * is refused before it ran does not matter here, as long as all know the same.
 */
export function standsAlone(
  caller: Caller,
  gateway: Gateway,
  shown: ShownTool | null,
  asksLater: boolean,
  { policy, credentials, sources }: Rooms,
): boolean {
  const { projectId } = gateway;
  if (shown === null) return policy.standsAlone(projectId, gateway, null);
  const { tool } = shown;
  if (!tool.available || tool.quarantined || !caller.principal.permissions.has('call')) return false;
  if (!asksForNothing(tool) || sources.standsAlone(projectId, tool.sourceId, asksLater) !== true)
    return false;
  if (!carriesNothing(caller, tool, gateway, credentials)) return false;
  return policy.standsAlone(projectId, gateway, tool);
}

/** Of the tools of a view, the sources of those that may stand alone. The tools are another list when one of them is. */
const candidates = new WeakMap<readonly ShownTool[], readonly string[]>();

/** Looked at before anything is known of a request, so it costs next to nothing. */
export function someStandAlone(
  { gateway, tools }: Pick<GatewayView, 'gateway' | 'tools'>,
  { policy, sources }: Rooms,
): boolean {
  const { projectId } = gateway;
  if (!policy.standsAlone(projectId, gateway, null)) return false;
  const known = candidates.get(tools);
  const ids = known ?? [...new Set(tools.flatMap(({ tool }) => (asksForNothing(tool) ? tool.sourceId : [])))];
  if (known === undefined) candidates.set(tools, ids);
  return ids.some((id) => sources.standsAlone(projectId, id, false) !== false);
}

function asksForNothing({ requirements: { authorization, secrets } }: Tool): boolean {
  return authorization === null && (secrets ?? []).length === 0;
}

/** As nobody is connected to the source. */
function carriesNothing(caller: Caller, tool: Tool, { slug }: Gateway, credentials: Credentials): boolean {
  const credential = credentials.attach({ caller, tool, gateway: slug, given: [], peek: true });
  if (!(credential instanceof Promise)) return credential.ok && credential.value === null;
  credential.catch(() => undefined);
  return false;
}
