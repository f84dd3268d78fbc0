import type { Tool } from '#domain';
import { type Curation, noCuration } from './contract.ts';
import { type Finding, findingCodes, findingsOf } from './documentation.ts';

export interface AboutDeps {
  readonly curationOf: (projectId: string, toolId: string) => Curation;
  readonly examplesOf: (tool: Tool) => readonly unknown[];
}

/** Which findings there are of a tool, as bits, and how much they weigh together. */
export interface Verdict {
  readonly codes: number;
  readonly severity: number;
}

/**
 * What was found of tools of which nobody says anything, packed: to look into all definitions of a large catalogue takes seconds,
 * and they stay the same.
 */
const known = new WeakMap<Tool, number>();

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

  function of(tool: Tool): readonly Finding[] {
    const curation = curationOf(tool.projectId, tool.id);
    const found = [...findingsOf(tool, curation), ...ofSuccessor(tool.projectId, curation)];
    const stale = curation.examples.length === 0 ? 0 : curation.examples.length - examplesOf(tool).length;
    if (stale === 0) return found;
    const advice = `its schema no longer takes ${stale} of its examples: change them`;
    return [...found, { code: 'stale_examples', advice, severity: 3 }];
  }

  return {
    of,
    /** Cheap where it was asked for before. */
    verdict(tool: Tool): Verdict {
      if (curationOf(tool.projectId, tool.id) !== noCuration) return unpacked(packed(of(tool)));
      let verdict = known.get(tool);
      if (verdict === undefined) {
        verdict = packed(of(tool));
        known.set(tool, verdict);
      }
      return unpacked(verdict);
    },
  };
}

const bits = 2 ** findingCodes.length;

function packed(findings: readonly Finding[]): number {
  const codes = findings.reduce((sum, { code }) => sum + 2 ** findingCodes.indexOf(code), 0);
  const severity = findings.reduce((sum, finding) => sum + finding.severity, 0);
  return Math.round(severity * 100) * bits + codes;
}

function unpacked(verdict: number): Verdict {
  return { codes: verdict % bits, severity: Math.floor(verdict / bits) / 100 };
}
