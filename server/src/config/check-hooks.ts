import { hookPoints } from '@sallyport/contracts';
import { isMembers, type Members } from '#foundation';
import type { Path } from './mistakes.ts';

type Report = (path: Path, message: string) => void;

/** What plugins and hooks of a file say of each other. Looks only at what has the shape for it: the schemas tell the rest. */
export function reportHooks({ plugins, hooks }: Members, report: Report): void {
  const declared = membersIn(plugins);
  reportSecondDirectory(declared, report);
  // Of two with one id the first counts.
  const byId = new Map(declared.toReversed().map(([, plugin]) => [plugin.id, plugin]));
  /** Plugin and point, of every hook that there is so far. */
  const taken = new Set(
    declared.flatMap(([, plugin]) =>
      hookPoints
        .filter((point) => endpointAt(plugin, point)?.failure_mode !== undefined)
        .map((point) => `${plugin.id} ${point}`),
    ),
  );
  for (const [index, { plugin_id: id, hook_point: point }] of membersIn(hooks)) {
    if (typeof id !== 'string' || typeof point !== 'string') continue;
    const problem = problemOf(id, point, byId.get(id));
    if (problem !== null) report(['hooks', index, problem.field], problem.message);
    const name = `${id} ${point}`;
    if (taken.has(name))
      report(['hooks', index, 'hook_point'], 'the plugin has a hook at this point already');
    taken.add(name);
  }
}

function reportSecondDirectory(plugins: readonly [number, Members][], report: Report): void {
  const bindings = new Set<unknown>();
  for (const [index, { plugin_type: type, binding_type: binding = 'project' }] of plugins) {
    if (type !== 'group_access') continue;
    if (bindings.has(binding)) report(['plugins', index, 'plugin_type'], 'is there twice; expected one');
    bindings.add(binding);
  }
}

function problemOf(id: string, point: string, plugin: Members | undefined) {
  if (plugin === undefined) {
    // One that was made over the API may be named, too.
    if (id.startsWith('plg_')) return null;
    return { field: 'plugin_id', message: 'expected the id of an entry of plugins' };
  }
  if (plugin.plugin_type !== 'webhook') {
    return { field: 'plugin_id', message: 'expected a plugin of the type "webhook"; others take no hooks' };
  }
  if (endpointAt(plugin, point) !== undefined) return null;
  return { field: 'hook_point', message: 'expected a point for which the plugin has an endpoint' };
}

/** `tool.pre` is asked at the endpoint `pre`. */
function endpointAt({ webhook_config: config }: Members, point: string): Members | undefined {
  const endpoints = isMembers(config) && isMembers(config.endpoints) ? config.endpoints : {};
  const name = point.replace('tool.', '');
  const endpoint = Object.hasOwn(endpoints, name) ? endpoints[name] : undefined;
  return isMembers(endpoint) ? endpoint : undefined;
}

function membersIn(list: unknown): [number, Members][] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry, index): [number, Members][] => (isMembers(entry) ? [[index, entry]] : []));
}
