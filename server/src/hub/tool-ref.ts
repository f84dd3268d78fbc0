import { type SourceKindName, sourceKinds } from '@sallyport/contracts';
import type { Tool } from '#domain';
import type { Sources } from '#sources';

/** How the hub names tools: `mcp://github.create_issue`, of the kind of the tool's source and the name that rules know. */

export interface ToolRefs {
  kindOf(tool: Tool): SourceKindName;
  refOf(tool: Tool): string;
  /** What the tools of one toolkit have in common: `mcp://github`. */
  namespaceOf(tool: Tool): string;
}

export function createToolRefs(sources: Pick<Sources, 'get'>): ToolRefs {
  const kindOf = ({ projectId, sourceId }: Tool) => sources.get(projectId, sourceId)?.kind ?? 'worker';
  return {
    kindOf,
    refOf: (tool) => `${kindOf(tool)}://${tool.ruleName}`,
    namespaceOf: (tool) => `${kindOf(tool)}://${tool.ruleName.slice(0, -(tool.name.length + 1))}`,
  };
}

/** One way to read what somebody wrote. */
export interface ReadRef {
  readonly kind: SourceKindName | null;
  readonly name: string;
  readonly version: string | null;
}

/** Every way to read a reference, the likeliest first: an `@` may begin a version, or belong to the name. */
export function readRef(text: string): readonly ReadRef[] {
  const [, scheme = null, rest = ''] = /^(?:([A-Za-z_]+):\/\/)?(.*)$/s.exec(text.trim()) ?? [];
  const kind = scheme === null ? null : (sourceKinds.find((known) => known === scheme.toLowerCase()) ?? null);
  if (rest === '' || (scheme !== null && kind === null)) return [];
  const whole = { kind, name: rest, version: null };
  const at = rest.lastIndexOf('@');
  if (at <= 0 || at === rest.length - 1) return [whole];
  return [whole, { kind, name: rest.slice(0, at), version: rest.slice(at + 1) }];
}

/** Whether it is the same name but for case, and for what stands between its words: `github_create-issue`. */
export function isLike(ruleName: string, written: string): boolean {
  return ruleName.length === written.length && plain(ruleName) === plain(written);
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{M}\p{N}]/gu, '_');
}
