import { type ParseError, parseTree } from 'jsonc-parser';
import { applyEdits, editsMeet } from '../files/apply-edits.ts';
import type { FileChange } from '../files/file-change.ts';
import type { TextEdit } from '../files/text-edit.ts';
import type { Project } from '../spec/load.ts';
import type { Finding } from './finding.ts';
import { lint } from './lint.ts';
import { type LintFile, yamlOf } from './lint-file.ts';
import type { RepositoryOptions } from './repository.ts';

/** What is mended in one round can make room for more; a fix that never ends is a fault of its rule. */
const maxRounds = 20;

export interface Fixed {
  readonly changes: readonly FileChange[];
  /** What was mended. */
  readonly fixed: readonly Finding[];
  /** What is left. */
  readonly findings: readonly Finding[];
}

/** Makes the changes of all findings that have some, those that meet one after the other; nothing is written. */
export async function fix(
  project: Project,
  files: readonly LintFile[],
  options: RepositoryOptions = {},
): Promise<Fixed> {
  const before = new Map(files.map(({ path, text }) => [path, text]));
  const fixed: Finding[] = [];
  let current = files;
  let findings = await lint(project, current, options);
  for (let round = 0; round < maxRounds; round++) {
    const { mended, made } = mend(current, findings);
    if (made.length === 0) break;
    fixed.push(...made);
    current = current.map((file) => mended.get(file.shown) ?? file);
    findings = await lint(project, current, options);
  }
  const changes = current.flatMap(({ path, text }) => {
    const old = before.get(path) ?? null;
    return old === text ? [] : [{ path, before: old, after: text }];
  });
  return { changes, fixed, findings };
}

function mend(files: readonly LintFile[], findings: readonly Finding[]) {
  const mended = new Map<string, LintFile>();
  const made: Finding[] = [];
  for (const [shown, ofFile] of Map.groupBy(findings, ({ file }) => file)) {
    const file = files.find((one) => one.shown === shown);
    if (file === undefined || file.text === null) continue;
    const wanted = ofFile.filter((finding) => finding.fix !== undefined);
    // Errors first, so that what people look for stands first where several lines are added.
    wanted.sort((one, other) => one.level.localeCompare(other.level));
    const apart = notMeeting(wanted);
    // Two can each be right and break the file together: then they are made one by one, in a round each.
    for (const chosen of [apart, ...wanted.map((finding) => [finding])]) {
      const next = { ...file, text: applyEdits(file.text, editsOf(chosen)) };
      if (chosen.length === 0 || isBroken(next)) continue;
      mended.set(shown, next);
      made.push(...chosen);
      break;
    }
  }
  return { mended, made };
}

/** Adds whole documents, any number of which can stand one after the other. */
const isDocument = ({ start, end, text }: TextEdit): boolean => start === end && /^---\r?\n/.test(text);

/** Those that can be made in one go: nothing that one replaces touches what another does. */
function notMeeting(findings: readonly Finding[]): readonly Finding[] {
  /** Edits that are chosen, in the order of the text. */
  const taken: TextEdit[] = [];
  /** Where an edit belongs among them. */
  const placeOf = ({ start }: TextEdit): number => {
    let [low, high] = [0, taken.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((taken[middle]?.start ?? 0) < start) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return findings.filter(({ fix: edits = [] }) => {
    const isFree = edits.every((one) => {
      const at = placeOf(one);
      const near = taken.slice(Math.max(0, at - 1), at + 1);
      return near.every((other) => (isDocument(one) && isDocument(other)) || !editsMeet([one], [other]));
    });
    if (isFree) for (const one of edits) taken.splice(placeOf(one), 0, one);
    return isFree;
  });
}

const editsOf = (findings: readonly Finding[]): readonly TextEdit[] =>
  findings.flatMap(({ fix: edits = [] }) => edits);

function isBroken(file: LintFile): boolean {
  if (file.kind !== 'mcp-json') return yamlOf(file).problems.length > 0;
  const errors: ParseError[] = [];
  parseTree(file.text ?? '', errors);
  return errors.length > 0;
}
