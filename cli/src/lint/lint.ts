import type { Project } from '../spec/load.ts';
import type { Finding } from './finding.ts';
import type { LintFile } from './lint-file.ts';
import { type RepositoryOptions, readRepository } from './repository.ts';
import type { Extras, Where } from './rule.ts';
import { rules } from './rules/index.ts';
import { suppress } from './suppressions.ts';

const known = new Set(rules.map(({ id }) => id));

/** What every rule says of these files, by file and place. */
export async function lint(
  project: Project,
  files: readonly LintFile[],
  options: RepositoryOptions = {},
): Promise<Finding[]> {
  const repository = readRepository(project, files, options);
  const spoken = new Set(files.filter(({ silent }) => silent !== true).map(({ shown }) => shown));
  const findings: Finding[] = [];
  for (const { id, level, check } of rules) {
    await check(repository, (where, message, extras = {}) => {
      const finding = findingOf(id, level, where, message, extras);
      if (spoken.has(finding.file)) findings.push(finding);
    });
  }
  return suppress(findings, files, known).sort(byPlace);
}

function findingOf(
  rule: string,
  level: Finding['level'],
  where: Where,
  message: string,
  extras: Extras,
): Finding {
  const { line, column } = where;
  const place =
    'resource' in where ? { file: where.resource.file, object: where.resource.title } : { file: where.file };
  return {
    rule,
    level: extras.level ?? level,
    ...place,
    line,
    column,
    message,
    ...(extras.fix !== undefined && extras.fix.length > 0 && { fix: extras.fix }),
  };
}

function byPlace(one: Finding, other: Finding): number {
  if (one.file !== other.file) return one.file < other.file ? -1 : 1;
  return one.line - other.line || one.column - other.column || (one.rule < other.rule ? -1 : 1);
}
