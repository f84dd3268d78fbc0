import type { SourceKindName } from '@sallyport/contracts';
import type { Catalog, GatewayView, ShownTool } from '#catalog';
import type { Caller, Tool } from '#domain';
import { createRests, type MaybePromise } from '#foundation';
import type { Pipeline } from '#pipeline';
import type { HubAsking } from './contract.ts';
import type { Governance } from './governance/contract.ts';
import { isAskedFor, type Spaces } from './namespaces.ts';
import { isSame, type Part } from './scope-parts.ts';
import type { Named, Permitted, SearchIndex } from './search/contract.ts';
import type { ToolFinder } from './tool-finder.ts';
import type { ToolRefs } from './tool-ref.ts';

/** What somebody may use now, and nothing of the rest: whatever the six tell is made of this. */
export interface Scope {
  readonly tools: readonly ShownTool[];
  readonly spaces: Spaces;
  /** Works out what `permit` needs, while others pass. */
  ready(index: SearchIndex, only: Only): Promise<void>;
  /** Of an index, what may be found. */
  permit(index: SearchIndex, only: Only): Permitted;
}

export interface Only {
  readonly namespace?: string | undefined;
  readonly kinds?: readonly SourceKindName[] | undefined;
}

export interface Scopes {
  of(asking: HubAsking): Promise<Scope>;
  /** What the caller sees of the gateway's tools, a part at a time: governance has no say in it. */
  visible(caller: Caller, view: GatewayView): AsyncIterable<readonly ShownTool[]>;
  /** Of these, what the caller may use: asked anew. */
  among(asking: HubAsking, tools: readonly ShownTool[]): MaybePromise<readonly ShownTool[]>;
  /** Of these ids, the tools that the caller may use: asked anew. */
  withIds(asking: HubAsking, ids: Iterable<string>): Promise<ReadonlyMap<string, ShownTool>>;
}

export interface ScopesDeps {
  readonly catalog: Pick<Catalog, 'toolLists'>;
  readonly pipeline: Pick<Pipeline, 'visible'>;
  readonly governance: Pick<Governance, 'closedTo'>;
  readonly refs: ToolRefs;
  readonly finder: ToolFinder;
}

/** What is asked for within one part, again and again. */
const maxNamed = 16;

/** What a part of what somebody may use comes to. */
interface PartScope {
  readonly tools: Part;
  readonly spaces: Spaces;
  /** Of these tools, what may be found; as it was, where only some have come since. */
  named(index: SearchIndex, only: Only): Named;
  isCurrent(index: SearchIndex, only: Only): boolean;
  name(index: SearchIndex, only: Only): Named;
}

/**
 * Everything is kept by parts of lists, by the very part that the pipeline gave: it is the same while nothing changed, for
 * everybody who may use the same. Between parts that are worked out, others pass.
 */
export function createScopes({ catalog, pipeline, governance, refs, finder }: ScopesDeps): Scopes {
  const kept = new WeakMap<Part, WeakMap<ReadonlySet<string>, PartScope>>();
  /** Parts that the pipeline has seen: what it works out of one at first is most of the work. */
  const seen = new WeakSet<Part>();
  const lastLeft = new WeakMap<Part, Part>();

  const listsOf = ({ view, caller }: HubAsking): readonly Part[] =>
    view?.toolLists ?? catalog.toolLists(caller.principal.projectId);

  function scopeOf(visible: Part, closed: ReadonlySet<string>): PartScope {
    const known = kept.get(visible)?.get(closed);
    if (known !== undefined) return known;
    const scope = createPartScope(without(visible, closed), refs);
    const ofVisible = kept.get(visible) ?? new WeakMap<ReadonlySet<string>, PartScope>();
    kept.set(visible, ofVisible.set(closed, scope));
    return scope;
  }

  function among({ caller, gateway }: HubAsking, tools: readonly ShownTool[]) {
    return pipeline.visible(caller, gateway, without(tools, governance.closedTo(caller.principal)));
  }

  /** What of each part may be used. */
  async function visibleParts(
    { caller, gateway }: HubAsking,
    parts: readonly Part[],
  ): Promise<readonly Part[]> {
    const rests = createRests();
    const asked: MaybePromise<Part>[] = [];
    for (const part of parts) {
      if (!seen.has(part)) await rests();
      seen.add(part);
      asked.push(pipeline.visible(caller, gateway, part));
    }
    return (await Promise.all(asked)).map((left, at) => {
      const before = lastLeft.get(parts[at] as Part);
      if (before !== undefined && isSame(before, left)) return before;
      lastLeft.set(parts[at] as Part, left);
      return left;
    });
  }

  return {
    async of(asking) {
      const closed = governance.closedTo(asking.caller.principal);
      const visible = await visibleParts(asking, finder.partsOf(listsOf(asking)));
      const rests = createRests();
      const scopes: PartScope[] = [];
      for (const part of visible) {
        await rests();
        scopes.push(scopeOf(part, closed));
      }
      return createScope(scopes);
    },
    async *visible(caller, view) {
      const rests = createRests();
      for (const part of finder.partsOf(view.toolLists)) {
        if (!seen.has(part)) await rests();
        seen.add(part);
        yield await pipeline.visible(caller, view.gateway, part);
      }
    },
    among,
    async withIds(asking, wanted) {
      const found = await finder.find(listsOf(asking), [...wanted]);
      const usable = await among(asking, [...found.values()]);
      return new Map(usable.map((shown) => [shown.tool.id, shown]));
    },
  };
}

function without(tools: readonly ShownTool[], closed: ReadonlySet<string>): readonly ShownTool[] {
  return closed.size === 0 ? tools : tools.filter(({ tool }) => !closed.has(tool.id));
}

function createScope(parts: readonly PartScope[]): Scope {
  return {
    get tools() {
      return parts.flatMap(({ tools }) => tools);
    },
    get spaces() {
      return together(parts.map(({ spaces }) => spaces));
    },
    async ready(index, only) {
      const rests = createRests();
      for (const part of parts) {
        if (part.isCurrent(index, only)) continue;
        await rests();
        part.name(index, only);
      }
    },
    permit: (index, only) => index.permitted(parts.map((part) => part.named(index, only))),
  };
}

function together(all: readonly Spaces[]): Spaces {
  const spaces = new Map<string, { readonly description: string | null; tools: number }>();
  for (const [namespace, { description, tools }] of all.flatMap((part) => [...part])) {
    const space = spaces.get(namespace);
    if (space === undefined) spaces.set(namespace, { description, tools });
    else space.tools += tools;
  }
  return spaces;
}

function createPartScope(tools: Part, refs: ToolRefs): PartScope {
  const kept = new Map<string, { readonly named: Named; readonly index: SearchIndex }>();

  function* idsOf({ namespace, kinds }: Only): Iterable<string> {
    const namespaceOf = createNamer(refs);
    const isWanted = remembered((name: string) => isAskedFor(name, { namespace, kinds }));
    const isNarrowed = namespace !== undefined || kinds !== undefined;
    for (const { tool } of tools) if (!isNarrowed || isWanted(namespaceOf(tool))) yield tool.id;
  }
  function known(index: SearchIndex, only: Only): Named | null {
    const found = kept.get(keyOf(only));
    return found?.index === index ? found.named : null;
  }
  function name(index: SearchIndex, only: Only): Named {
    const key = keyOf(only);
    const named = index.named(idsOf(only));
    kept.delete(key);
    kept.set(key, { named, index });
    const [oldest] = kept.keys();
    if (kept.size > maxNamed && oldest !== undefined) kept.delete(oldest);
    return named;
  }

  return {
    tools,
    spaces: gather(tools, refs),
    name,
    isCurrent(index, only) {
      const named = known(index, only);
      return named !== null && index.isCurrent(named);
    },
    named(index, only) {
      const named = known(index, only);
      return named !== null && index.isTrue(named) ? named : name(index, only);
    },
  };
}

const keyOf = ({ namespace, kinds }: Only): string => JSON.stringify([namespace, kinds]);

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
