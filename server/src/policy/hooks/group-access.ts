import type { GroupAccessConfig } from '@sallyport/contracts';
import type { Egress } from '#egress';
import { type Clock, createSingleFlight, err, type Result } from '#foundation';
import type { PluginEntry } from './contract.ts';
import type { Directory, DirectoryDeps } from './directories/directory.ts';
import { entraDirectory } from './directories/entra.ts';
import { oktaDirectory } from './directories/okta.ts';
import { sailpointDirectory } from './directories/sailpoint.ts';
import { createOrigins } from './origins.ts';
import { type AccessStep, builtInTrace, durationOf } from './steps.ts';
import { createToolMatch } from './tool-match.ts';

const keptMs = 5 * 60_000;
const maxKept = 10_000;

type Membership = Result<ReadonlySet<string>, string>;

/** The plugin type `group_access`: who may see a tool goes by the groups of a directory. */
export function groupAccess(
  plugin: PluginEntry,
  { egress, clock }: { readonly egress: Egress; readonly clock: Clock },
): AccessStep & { retire(): void } {
  const { group_access_config: config } = plugin.definition.plugin;
  const rules = config?.rules ?? [];
  const rulesFor = createToolMatch(rules);
  const spokenOf = new Set(rules.flatMap(({ required_groups }) => required_groups));
  const origins = createOrigins(egress, plugin.origin);
  const directory = config === undefined ? null : directoryOf(config, { origins, clock });
  const members = createMembers(directory, spokenOf, clock);

  return {
    async ask(subject, tools) {
      const startedAt = clock.monotonic();
      if (!tools.some((tool) => rulesFor(tool).length > 0))
        return { allows: () => true, trace: builtInTrace(plugin, 'tool.access', 'OK') };
      const { membership, cached } = await members(subject.userId);
      const allows: Awaited<ReturnType<AccessStep['ask']>>['allows'] = (tool) =>
        rulesFor(tool).every(({ required_groups, allow_on_unavailable = false }) =>
          membership.ok ? required_groups.some((group) => membership.value.has(group)) : allow_on_unavailable,
        );
      const code = !membership.ok ? 'failed' : tools.every(allows) ? 'OK' : 'CHECK_FAILED';
      const trace = builtInTrace(plugin, 'tool.access', code, membership.ok ? undefined : membership.error);
      const timing = cached ? { cached } : { duration_ms: durationOf(clock, startedAt) };
      return { allows, trace: { ...trace, ...timing } };
    },
    retire: origins.retire,
  };
}

function directoryOf({ okta, entra, sailpoint }: GroupAccessConfig, deps: DirectoryDeps): Directory | null {
  if (okta !== undefined) return oktaDirectory(okta, deps);
  if (entra !== undefined) return entraDirectory(entra, deps);
  return sailpoint === undefined ? null : sailpointDirectory(sailpoint, deps);
}

/** Of a user's groups those that rules speak of, for five minutes; who is asked about at the same time is asked about once. */
function createMembers(directory: Directory | null, spokenOf: ReadonlySet<string>, clock: Clock) {
  const kept = new Map<string, { readonly membership: Membership; readonly untilMs: number }>();
  const once = createSingleFlight<Membership>();

  async function lookUp(login: string): Promise<Membership> {
    const found = (await directory?.groupsOf(login)) ?? err('there is no directory');
    if (!found.ok) return found;
    const membership: Membership = {
      ok: true,
      value: new Set(found.value.filter((group) => spokenOf.has(group))),
    };
    kept.delete(login);
    kept.set(login, { membership, untilMs: clock.now() + keptMs });
    for (const oldest of kept.keys()) {
      if (kept.size <= maxKept) break;
      kept.delete(oldest);
    }
    return membership;
  }

  return async (userId: string | null): Promise<{ membership: Membership; cached: boolean }> => {
    // Dots would be steps of the path that the user's name stands in; half a character stands in no path.
    if (userId === null || /^\.*$/.test(userId) || !userId.isWellFormed())
      return { membership: { ok: true, value: new Set() }, cached: false };
    const known = kept.get(userId);
    if (known !== undefined && clock.now() < known.untilMs)
      return { membership: known.membership, cached: true };
    return { membership: await once(userId, () => lookUp(userId)), cached: false };
  };
}
