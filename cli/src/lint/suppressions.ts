import type { Finding } from './finding.ts';
import type { LintFile } from './lint-file.ts';

interface Suppression {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly rule: string;
  readonly reason: string;
}

const comment =
  /#\s*sallyport-lint-disable-line(?:[ \t]+(?<rule>[a-z0-9-]+))?(?:[ \t]+(?<reason>\S.*?))?\s*$/;

/**
 * Leaves out what a comment on its line excuses, `# sallyport-lint-disable-line <rule> <reason>`, and tells of comments
 * without a reason, of rules that are not there, and of those that excuse nothing.
 */
export function suppress(
  findings: readonly Finding[],
  files: readonly LintFile[],
  known: ReadonlySet<string>,
): Finding[] {
  const all = files.filter(({ silent }) => silent !== true).flatMap(suppressionsOf);
  const used = new Set<Suppression>();
  const left = findings.filter((finding) => {
    const found = all.find(
      ({ file, line, rule, reason }) =>
        reason !== '' && file === finding.file && line === finding.line && rule === finding.rule,
    );
    if (found !== undefined) used.add(found);
    return found === undefined;
  });
  const told = all.flatMap((one) => {
    const message = mistakeOf(one, known, used.has(one));
    const { file, line, column } = one;
    const level = one.reason === '' || !known.has(one.rule) ? ('error' as const) : ('warning' as const);
    return message === null ? [] : [{ rule: 'suppression', level, file, line, column, message }];
  });
  return [...left, ...told];
}

function mistakeOf({ rule, reason }: Suppression, known: ReadonlySet<string>, used: boolean): string | null {
  if (!known.has(rule)) {
    return `There is no rule ${rule || '(none is named)'}: write # sallyport-lint-disable-line <rule> <reason>.`;
  }
  if (reason === '') return `Say why ${rule} does not apply here, behind the name of the rule.`;
  return used ? null : `${rule} finds nothing on this line: remove the comment.`;
}

function suppressionsOf({ shown, text }: LintFile): Suppression[] {
  if (text === null || !text.includes('sallyport-lint-disable-line')) return [];
  return text.split('\n').flatMap((line, index) => {
    const match = comment.exec(line);
    if (match === null) return [];
    const { rule = '', reason = '' } = match.groups ?? {};
    return [{ file: shown, line: index + 1, column: match.index + 1, rule, reason }];
  });
}
