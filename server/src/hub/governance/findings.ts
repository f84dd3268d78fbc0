import type { Tool } from '#domain';
import type { Curation } from './contract.ts';
import { type Finding, findingsOf } from './documentation.ts';

export interface AboutDeps {
  readonly curationOf: (projectId: string, toolId: string) => Curation;
  readonly examplesOf: (tool: Tool) => readonly unknown[];
}

/** What there is to mend of a tool, among all tools of its project. */
export function createFindings({ curationOf, examplesOf }: AboutDeps, tools: readonly Tool[]) {
  let ids: ReadonlySet<string> | null = null;
  const isThere = (id: string) => {
    ids ??= new Set(tools.map((tool) => tool.id));
    return ids.has(id);
  };

  function ofSuccessor(projectId: string, { lifecycle, successorId }: Curation): Finding[] {
    if (lifecycle !== 'deprecated') return [];
    if (successorId === null)
      return [{ code: 'no_successor', advice: 'it is deprecated: say what to use instead', severity: 2 }];
    if (isThere(successorId) && curationOf(projectId, successorId).lifecycle !== 'hidden') return [];
    const advice = 'what to use instead of it is not there any more: name another';
    return [{ code: 'successor_gone', advice, severity: 3 }];
  }

  return (tool: Tool): readonly Finding[] => {
    const curation = curationOf(tool.projectId, tool.id);
    const found = [...findingsOf(tool, curation), ...ofSuccessor(tool.projectId, curation)];
    const stale = curation.examples.length === 0 ? 0 : curation.examples.length - examplesOf(tool).length;
    if (stale === 0) return found;
    const advice = `its schema no longer takes ${stale} of its examples: change them`;
    return [...found, { code: 'stale_examples', advice, severity: 3 }];
  };
}
