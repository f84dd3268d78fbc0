import { writeChanges } from '../../files/write-changes.ts';
import { orphanNotes, planManifests } from '../../manifests/plan.ts';
import { counted } from '../../output/counted.ts';
import { chosenServers } from '../../spec/find.ts';
import { loadProject, shownPath } from '../../spec/load.ts';
import type { AddCommand, Context, Outcome } from '../command.ts';

interface Options {
  readonly all?: true;
  readonly dryRun?: true;
  readonly check?: true;
  readonly replace?: true;
  readonly conventions?: string;
}

/** `sallyport deploy generate`: server.yaml → manifests, kustomization.yaml, .mcp.json. */
export const addGenerate: AddCommand = (parent, act) => {
  parent
    .command('generate')
    .argument('[servers...]', 'names of servers or server.yaml files; the one in this folder unless given')
    .description('write the manifests of servers, and everything that lists them')
    .option('--all', 'every server.yaml and *.server.yaml of the repository')
    .option('--dry-run', 'show what would change, and write nothing')
    .option('--check', 'as --dry-run, and end with 1 when something would change: for CI')
    .option('--replace', 'write over manifests that a person wrote')
    .option('--conventions <file>', 'conventions.yaml, found upwards from here unless given')
    .action(act(generateFiles));
};

async function generateFiles(
  { io, printer }: Context,
  given: readonly string[],
  options: Options,
): Promise<Outcome> {
  const project = await loadProject(io, options);
  const servers = await chosenServers(io, project, given, options.all === true);
  const plan = await planManifests(servers, project, {
    replace: options.replace === true,
    now: io.now,
  });
  const orphans = options.all === true ? await orphanNotes(project, servers) : [];
  const dryRun = options.dryRun === true || options.check === true;
  await writeChanges(plan.changes, { io, printer, dryRun, namesOnly: !dryRun });
  const changed = plan.changes.filter(({ before, after }) => before !== after);
  const notes = [...plan.notes, ...orphans];
  for (const note of notes) printer.line(`${printer.style('yellow', 'note:')} ${note}`);
  const names = servers.map(({ spec }) => spec.name);
  printer.line(ended(names, changed.length, dryRun));
  if (changed.length > 0 && !dryRun) {
    const these = names.length > 3 ? '' : ` ${names.join(' ')}`;
    printer.line(
      `Next: commit, for Flux to apply it, or sallyport deploy apply${these}; then deploy verify.`,
    );
  }
  printer.value({
    servers: names,
    files: changed.map(({ path, before }) => ({
      path: shownPath(project, path),
      change: before === null ? 'made' : 'changed',
    })),
    notes,
  });
  return options.check === true && changed.length > 0 ? 'problems' : 'ok';
}

function ended(names: readonly string[], changed: number, dryRun: boolean): string {
  if (names.length === 0) {
    return 'There is no server.yaml: sallyport server new <name> makes one, deploy import <manifests> reads them.';
  }
  if (changed === 0) return `Nothing to change: ${names.join(', ')}`;
  return `${counted(changed, 'file')} ${dryRun ? 'would change' : 'written'}`;
}
