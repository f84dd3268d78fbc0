import { accessControl, type RequirementId } from '../requirements/access-control.ts';
import type { Check, ScenarioResult } from './scenario.ts';

export interface Verdict {
  readonly id: RequirementId;
  readonly title: string;
  readonly text: string;
  /** Passed only where every scenario that cites it passed. */
  readonly verdict: ScenarioResult['verdict'];
  readonly evidence: string;
}

export function verdicts(results: readonly ScenarioResult[]): readonly Verdict[] {
  return accessControl.map(({ id, title, text }) => {
    const cited = results.filter(({ verifies }) => verifies.includes(id));
    return { id, title, text, ...judged(cited) };
  });
}

function judged(results: readonly ScenarioResult[]): Pick<Verdict, 'verdict' | 'evidence'> {
  const failed = results.find(({ verdict }) => verdict === 'failed');
  if (failed !== undefined) return { verdict: 'failed', evidence: `${failed.title}: ${whatFailed(failed)}` };
  const left = results.find(({ verdict }) => verdict === 'not supported');
  if (left !== undefined) return { verdict: 'not supported', evidence: left.reason ?? '' };
  if (results.length === 0) return { verdict: 'failed', evidence: 'no scenario was run for it' };
  const checks = results.reduce((sum, { checks: all }) => sum + all.length, 0);
  return { verdict: 'passed', evidence: `${checks} checks held in ${results.length} scenarios` };
}

function whatFailed({ checks, reason }: ScenarioResult): string {
  const broken = checks.find(({ holds }) => !holds);
  return broken === undefined ? (reason ?? '') : `not so: ${broken.claim} (${clipped(broken.evidence)})`;
}

/** Evidence may be a whole answer; `--json` has all of it. */
function clipped(text: string, length = 300): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= length ? line : `${line.slice(0, length)}…`;
}

const marks = { passed: 'passed       ', failed: 'FAILED       ', 'not supported': 'not supported' } as const;

export function printScenarios(results: readonly ScenarioResult[], print: (line: string) => void): void {
  for (const result of results) {
    print(`\n${marks[result.verdict]}  ${result.title}`);
    if (result.reason !== undefined) print(`               ${clipped(result.reason)}`);
    for (const check of result.checks) print(`  ${checkLine(check)}`);
  }
}

export function printVerdicts(judged: readonly Verdict[], print: (line: string) => void): void {
  print('\nRequirements');
  const widest = Math.max(...judged.map(({ id }) => id.length));
  for (const { id, verdict, evidence } of judged) {
    print(`${marks[verdict]}  ${id.padEnd(widest)}  ${clipped(evidence)}`);
  }
}

function checkLine({ claim, holds, evidence }: Check): string {
  return `${holds ? '✔' : '✘'} ${claim}\n      ${clipped(evidence, holds ? 120 : 600)}`;
}
