import type { GatewayView } from '#catalog';
import { taskExtension } from '#domain';
import { isMembers, type Members } from '#foundation';
import { taskCapability } from './tasks/calls.ts';

/** What the gateway declares: of what its sources declare, that which it carries. */

/** For clients of 2026-07-28. */
export function modernCapabilities(view: GatewayView): Members {
  const declared = view.sourceIds.map((id) => view.capabilitiesOf(id));
  return { ...carried(declared), ...named('extensions', declared) };
}

/** For clients of a revision with a handshake. */
export function legacyCapabilities(view: GatewayView, version: string): Members {
  const declared = view.sourceIds.map((id) => view.capabilitiesOf(id));
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
