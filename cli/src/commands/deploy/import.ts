import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeChanges } from '../../files/write-changes.ts';
import { planImport, usualFolder } from '../../importing/import-files.ts';
import { loadProject } from '../../spec/load.ts';
import type { AddCommand, Context, Outcome } from '../command.ts';

interface Options {
  readonly to?: string;
  readonly dryRun?: true;
  readonly conventions?: string;
}

/** `sallyport deploy import`: manifests that a person wrote → server.yaml. */
export const addImport: AddCommand = (parent, act) => {
  parent
    .command('import')
    .argument('<manifests...>', 'files with Deployments and what belongs to them, or folders of such files')
    .description('write a server.yaml for each server of these manifests, without losing anything')
    .option(
      '--to <folder>',
      'each gets a folder of its own in it; mcp-servers of the repository unless given',
    )
    .option('--dry-run', 'show what would be written, and write nothing')
    .option('--conventions <file>', 'conventions.yaml, found upwards from here unless given')
    .action(act(importFiles));
};

async function importFiles(
  { io, printer }: Context,
  manifests: readonly string[],
  options: Options,
): Promise<Outcome> {
  const project = await loadProject(io, options);
  const to = options.to === undefined ? usualFolder(project) : resolve(io.cwd, options.to);
  const paths = await filesAt(manifests.map((file) => resolve(io.cwd, file)));
  const { servers, changes, secretValues, leftOut } = await planImport(paths, project, to);
  const redact = (text: string) =>
    secretValues.reduce((shown, value) => shown.replaceAll(value, '•••'), text);
  await writeChanges(changes, { io, printer, dryRun: options.dryRun === true, redact });
  for (const { name, file, told, notes } of servers) {
    printer.line(printer.style('bold', `${name}: ${file}`));
    for (const one of told) printer.line(`  ${printer.style('yellow', 'changes:')} ${one}`);
    for (const one of notes) printer.line(`  ${printer.style('dim', 'note:')} ${one}`);
  }
  for (const one of leftOut) printer.line(`Left out: ${one}`);
  const files = servers.map(({ file }) => file).join(' ');
  printer.line(`Next: sallyport deploy generate ${files} --replace --dry-run, and without --dry-run`);
  const moving = servers.filter(({ told }) =>
    told.some((one) => one.includes('needs sallyport deploy migrate')),
  );
  for (const { name } of moving)
    printer.line(`Then, before the commit: sallyport deploy migrate ${name} labels`);
  printer.value({
    servers: servers.map(({ name, file, told, notes }) => ({ name, file, changes: told, notes })),
    leftOut,
  });
  return 'ok';
}

/** Files as they are, folders by the YAML in them; each once. */
async function filesAt(paths: readonly string[]): Promise<readonly string[]> {
  const files = new Set<string>();
  for (const path of paths) {
    const isFolder = (await stat(path).catch(() => null))?.isDirectory() === true;
    const names = isFolder ? (await readdir(path)).filter((name) => /\.ya?ml$/.test(name)).sort() : ['.'];
    for (const name of names) files.add(join(path, name));
  }
  return [...files];
}
