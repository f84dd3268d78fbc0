import type { GatewayView } from '#catalog';
import { taskExtension } from '#domain';
import { isMembers, type Members } from '#foundation';
import { servedExtensions } from './extensions.ts';
import { taskCapability } from './tasks/calls.ts';

/** What the gateway declares: of what its sources declare, that which it carries. */

/** Whether the caller may use anything of a source: to others its own extensions would tell that it is there. */
type Uses = (sourceId: string) => boolean;

/** For clients of 2026-07-28. `ownTasks`: calls may go on as tasks of the gateway's own. */
export function modernCapabilities(view: GatewayView, uses: Uses, ownTasks: boolean): Members {
  const own = ownTasks ? [{ extensions: { [taskExtension]: {} } }] : [];
  const declared = [...declaredTo(view, uses), ...own];
  return { ...carried(declared), ...named('extensions', declared) };
}

/** For clients of a revision with a handshake. */
export function legacyCapabilities(view: GatewayView, version: string, uses: Uses): Members {
  const declared = declaredTo(view, uses);
  const { completions, ...older } = carried(declared);
  const { [taskExtension]: _, ...extensions } = union('extensions', declared);
  const tasks = taskCapability(declared);
  return {
    ...older,
    ...(completions === undefined || version < '2025-03-26' ? {} : { completions }),
    ...(tasks === null || version < '2025-11-25' ? {} : { tasks }),
    ...(Object.keys(extensions).length === 0 ? {} : { extensions }),
  };
}

function declaredTo(view: GatewayView, uses: Uses): readonly Members[] {
  return view.sourceIds.map((id) => {
    const declared = view.capabilitiesOf(id);
    const { experimental, extensions, ...common } = declared;
    const names = isMembers(extensions) ? Object.entries(extensions) : [];
    const served = names.filter(([name]) => servedExtensions.has(name));
    const hasOwn = experimental !== undefined || served.length < names.length;
    return hasOwn && !uses(id) ? { ...common, extensions: Object.fromEntries(served) } : declared;
  });
}

function carried(declared: readonly Members[]): Members {
  const anyHas = (name: string) => declared.some((one) => isMembers(one[name]));
  const subscribes = declared.some(({ resources }) => isMembers(resources) && resources.subscribe === true);
  return {
    tools: { listChanged: true },
    ...(anyHas('prompts') ? { prompts: { listChanged: true } } : {}),
    ...(anyHas('resources')
      ? { resources: { listChanged: true, ...(subscribes ? { subscribe: true } : {}) } }
      : {}),
    ...(anyHas('completions') ? { completions: {} } : {}),
    ...(anyHas('logging') ? { logging: {} } : {}),
    ...named('experimental', declared),
  };
}

function named(name: string, declared: readonly Members[]): Members {
  const all = union(name, declared);
  return Object.keys(all).length === 0 ? {} : { [name]: all };
}

/** Every member of these objects; where several have one, it is that of the first. */
function union(name: string, declared: readonly Members[]): Members {
  const objects = declared.map((one) => one[name]).filter(isMembers);
  return Object.assign({}, ...objects.toReversed());
}
