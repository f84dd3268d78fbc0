import { writeChanges } from '../../files/write-changes.ts';
import type { Finding } from '../../lint/finding.ts';
import { counted } from '../../output/counted.ts';
import { loadProject, shownPath } from '../../spec/load.ts';
import type { AddCommand, Context, Outcome } from '../command.ts';

interface Options {
  readonly fix?: true;
  readonly dryRun?: true;
  readonly strict?: true;
  readonly rules?: true;
  readonly resolveImages?: true;
  readonly conventions?: string;
}

/** `sallyport deploy lint`: whether manifests follow the convention, and work. */
export const addLint: AddCommand = (parent, act) => {
  parent
    .command('lint')
    .argument('[paths...]', 'files and folders; the manifests and what belongs to them, unless given')
    .description('check manifests, .mcp.json, Dockerfiles and workflows')
    .option('--fix', 'mend what can be mended, and show the difference')
    .option('--dry-run', 'with --fix: show the difference, and write nothing')
    .option('--strict', 'end with 1 on warnings, too')
    .option(
      '--resolve-images',
      'ask the registries for digests, for --fix to pin images by, and for signatures',
    )
    .option('--rules', 'print the table of rules')
    .option('--conventions <file>', 'conventions.yaml, found upwards from here unless given')
    .action(act(lintFiles));
};

async function lintFiles(
  { io, printer }: Context,
  paths: readonly string[],
  options: Options,
): Promise<Outcome> {
  if (options.rules === true) return printRules(printer);
  const { lint } = await import('../../lint/lint.ts');
  const { fix } = await import('../../lint/fix.ts');
  const { readLintFiles } = await import('../../lint/read-lint-files.ts');
  const { readsHead } = await import('../../lint/git-head.ts');
  const { askRegistries } = await import('../../lint/ask-registries.ts');
  const project = await loadProject(io, options);
  const files = await readLintFiles(project, io.cwd, paths);
  const asked = await askRegistries(project, files, { io, printer, online: options.resolveImages === true });
  const known = { atHead: await readsHead(project.root), ...asked };
  const { changes, fixed, findings } =
    options.fix === true
      ? await fix(project, files, known)
      : { changes: [], fixed: [], findings: await lint(project, files, known) };
  await writeChanges(changes, { io, printer, dryRun: options.dryRun === true });
  print(printer, findings);
  const errors = findings.filter(({ level }) => level === 'error').length;
  const warnings = findings.length - errors;
  const checked = files.filter(({ silent }) => silent !== true).length;
  const mended =
    options.fix === true ? `, ${fixed.length} ${options.dryRun ? 'could be mended' : 'mended'}` : '';
  printer.line(
    `${counted(checked, 'file')}: ${counted(errors, 'error')}, ${counted(warnings, 'warning')}${mended}`,
  );
  if (checked === 0) {
    const where = `${shownPath(project, project.folder)} of ${project.root}`;
    printer.line(`There is nothing to check in ${where}: name files or folders, or go where they are.`);
  }
  if (project.conventions.images.cosignKey !== undefined && asked.checked === undefined)
    printer.line('Signatures of images were not looked up: --resolve-images does.');
  const fixable = findings.filter((finding) => finding.fix !== undefined).length;
  if (fixable > 0 && options.fix !== true) printer.line(`${fixable} of them --fix mends.`);
  const told = (all: readonly Finding[]) =>
    all.map(({ fix: edits, ...finding }) => ({ ...finding, fixable: edits !== undefined }));
  printer.value({ findings: told(findings), fixed: told(fixed), files: checked, errors, warnings });
  return errors > 0 || (options.strict === true && warnings > 0) ? 'problems' : 'ok';
}

function print(printer: Context['printer'], findings: readonly Finding[]): void {
  for (const [file, ofFile] of Map.groupBy(findings, (finding) => finding.file)) {
    printer.line(printer.style('bold', file));
    for (const { line, column, level, rule, message } of ofFile) {
      const word = printer.style(level === 'error' ? 'red' : 'yellow', level.padEnd(7));
      printer.line(`  ${`${line}:${column}`.padEnd(8)} ${word} ${message} ${printer.style('dim', rule)}`);
    }
    printer.line();
  }
}

async function printRules(printer: Context['printer']): Promise<Outcome> {
  const { rules } = await import('../../lint/rules/index.ts');
  const rows = rules.map(({ id, level, fixable, what }) => [id, level, fixable ? 'yes' : '', what]);
  printer.table(['RULE', 'LEVEL', 'FIX', 'WHAT IT ASKS FOR'], rows);
  printer.value({ rules: rules.map(({ check: _, ...rule }) => rule) });
  return 'ok';
}
