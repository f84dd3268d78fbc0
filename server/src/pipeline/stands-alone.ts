import type { ShownTool } from '#catalog';
import type { Caller, Gateway } from '#domain';
import type { Policy } from '#policy';
import type { Sources } from '#sources';

/**
 * Only of what is surely so: of workers, which keep nothing from one call to the next, and tools that need nothing of the user. What
 * is refused before it ran does not matter here, as long as all know the same.
 */
export function standsAlone(
  { principal }: Caller,
  gateway: Gateway,
  shown: ShownTool | null,
  { policy, sources }: { readonly policy: Policy; readonly sources: Sources },
): boolean {
  const { projectId } = gateway;
  if (shown === null) return policy.standsAlone(projectId, gateway, null);
  const { tool } = shown;
  const { authorization, secrets } = tool.requirements;
  if (!tool.available || tool.quarantined || !principal.permissions.has('call')) return false;
  if (authorization !== null || (secrets ?? []).length > 0) return false;
  const source = sources.get(tool.projectId, tool.sourceId);
  if (source === null || source.kind !== 'worker' || !source.enabled) return false;
  return policy.standsAlone(projectId, gateway, tool);
}
