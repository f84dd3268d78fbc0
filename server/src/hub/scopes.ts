import type { SourceKindName } from '@sallyport/contracts';
import type { Catalog, ShownTool } from '#catalog';
import type { Tool } from '#domain';
import type { MaybePromise } from '#foundation';
import type { Pipeline } from '#pipeline';
import type { HubAsking } from './contract.ts';
import type { Governance } from './governance/contract.ts';
import type { Indexed } from './indexing.ts';
import { isWithin, type Spaces } from './namespaces.ts';
import type { Permitted } from './search/contract.ts';
import type { ToolRefs } from './tool-ref.ts';

/** What somebody may use now, and nothing of the rest: whatever the six tell is made of this. */
export interface Scope {
  readonly tools: readonly ShownTool[];
  readonly spaces: Spaces;
  /** Of an index, what may be found. */
  permit(indexed: Indexed, only: Only): Permitted;
}

export interface Only {
  readonly namespace?: string | undefined;
  readonly kinds?: readonly SourceKindName[] | undefined;
}

export interface Scopes {
  of(asking: HubAsking): MaybePromise<Scope>;
  /** Of these, what the caller may use: asked anew. */
  among(asking: HubAsking, tools: readonly ShownTool[]): MaybePromise<readonly ShownTool[]>;
  /** Of these ids, the tools that the caller may use: asked anew. */
  withIds(asking: HubAsking, ids: Iterable<string>): Promise<ReadonlyMap<string, ShownTool>>;
}

export interface ScopesDeps {
  readonly catalog: Pick<Catalog, 'tools' | 'shown'>;
  readonly pipeline: Pick<Pipeline, 'visible'>;
  readonly governance: Pick<Governance, 'closedTo'>;
  readonly refs: ToolRefs;
}

/** What is asked for within one scope, again and again. */
const maxPermits = 16;

/** Kept by the very list that the pipeline gave, which is the same while nothing changed. */
export function createScopes({ catalog, pipeline, governance, refs }: ScopesDeps): Scopes {
  const kept = new WeakMap<readonly ShownTool[], WeakMap<ReadonlySet<string>, Scope>>();
  /** By the catalog's own list, which is the same while nothing changed, too. */
  const alone = new WeakMap<readonly Tool[], readonly ShownTool[]>();

  function all({ view, caller }: HubAsking): readonly ShownTool[] {
    if (view !== null) return view.tools;
    const tools = catalog.tools(caller.principal.projectId);
    let shown = alone.get(tools);
    if (shown === undefined) {
      shown = tools.map(catalog.shown);
      alone.set(tools, shown);
    }
    return shown;
  }

  function scopeOf(visible: readonly ShownTool[], closed: ReadonlySet<string>): Scope {
    const ofVisible = kept.get(visible) ?? new WeakMap<ReadonlySet<string>, Scope>();
    kept.set(visible, ofVisible);
    let scope = ofVisible.get(closed);
    if (scope === undefined) {
      scope = createScope(without(visible, closed), refs);
      ofVisible.set(closed, scope);
    }
    return scope;
  }

  function among({ caller, gateway }: HubAsking, tools: readonly ShownTool[]) {
    return pipeline.visible(caller, gateway, without(tools, governance.closedTo(caller.principal)));
  }

  return {
    of(asking) {
      const { caller, gateway } = asking;
      const visible = pipeline.visible(caller, gateway, all(asking));
      const closed = governance.closedTo(caller.principal);
      return visible instanceof Promise
        ? visible.then((tools) => scopeOf(tools, closed))
        : scopeOf(visible, closed);
    },
    among,
    async withIds(asking, ids) {
      const known = byId(all(asking));
      const tools = [...new Set(ids)].flatMap((id) => known.get(id) ?? []);
      const usable = await among(asking, tools);
      return new Map(usable.map((shown) => [shown.tool.id, shown]));
    },
  };
}

const maps = new WeakMap<readonly ShownTool[], ReadonlyMap<string, ShownTool>>();

function byId(tools: readonly ShownTool[]): ReadonlyMap<string, ShownTool> {
  let map = maps.get(tools);
  if (map === undefined) {
    map = new Map(tools.map((shown) => [shown.tool.id, shown]));
    maps.set(tools, map);
  }
  return map;
}

function without(tools: readonly ShownTool[], closed: ReadonlySet<string>): readonly ShownTool[] {
  return closed.size === 0 ? tools : tools.filter(({ tool }) => !closed.has(tool.id));
}

function createScope(tools: readonly ShownTool[], refs: ToolRefs): Scope {
  const permits = new Map<string, { readonly permitted: Permitted; readonly indexed: Indexed }>();
  let spaces: Spaces | null = null;

  function* idsOf({ namespace, kinds }: Only): Iterable<string> {
    const namespaceOf = createNamer(refs);
    const isWanted = remembered(
      (name: string) =>
        (kinds === undefined || kinds.some((kind) => name.startsWith(`${kind}://`))) &&
        (namespace === undefined || isWithin(name, namespace)),
    );
    const isNarrowed = namespace !== undefined || kinds !== undefined;
    for (const { tool } of tools) if (!isNarrowed || isWanted(namespaceOf(tool))) yield tool.id;
  }

  return {
    tools,
    get spaces() {
      spaces ??= gather(tools, refs);
      return spaces;
    },
    permit(indexed, only) {
      const key = JSON.stringify([only.namespace, only.kinds]);
      const known = permits.get(key);
      const { generation } = indexed.index;
      if (known?.indexed === indexed && known.permitted.generation === generation) return known.permitted;
      const permitted = indexed.index.permit(idsOf(only));
      permits.delete(key);
      permits.set(key, { permitted, indexed });
      for (const oldest of permits.keys()) {
        if (permits.size <= maxPermits) break;
        permits.delete(oldest);
      }
      return permitted;
    },
  };
}

function gather(tools: readonly ShownTool[], refs: ToolRefs): Spaces {
  const namespaceOf = createNamer(refs);
  const spaces = new Map<string, { readonly description: string | null; tools: number }>();
  for (const { tool } of tools) {
    const namespace = namespaceOf(tool);
    const space = spaces.get(namespace);
    if (space === undefined) spaces.set(namespace, { description: tool.toolkit.description, tools: 1 });
    else space.tools++;
  }
  return spaces;
}

/** Tools of one toolkit are in one namespace, unless a name of their own has a slash: many share what is made once. */
function createNamer(refs: ToolRefs): (tool: Tool) => string {
  const known = new Map<string, Map<Tool['toolkit'], string>>();
  return (tool) => {
    if (tool.ruleName.includes('/')) return refs.namespaceOf(tool);
    const ofSource = known.get(tool.sourceId) ?? new Map<Tool['toolkit'], string>();
    known.set(tool.sourceId, ofSource);
    let namespace = ofSource.get(tool.toolkit);
    if (namespace === undefined) {
      namespace = refs.namespaceOf(tool);
      ofSource.set(tool.toolkit, namespace);
    }
    return namespace;
  };
}

function remembered(decide: (name: string) => boolean): (name: string) => boolean {
  const known = new Map<string, boolean>();
  return (name) => {
    let is = known.get(name);
    if (is === undefined) {
      is = decide(name);
      known.set(name, is);
    }
    return is;
  };
}
