import { writeChanges } from '../../files/write-changes.ts';
import { orphanNotes, planManifests } from '../../manifests/plan.ts';
import { chosenServers } from '../../spec/find.ts';
import { type LoadedServer, loadProject, loadServer, shownPath } from '../../spec/load.ts';
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
    .argument('[files...]', 'server.yaml files; the one in this folder unless given')
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
  files: readonly string[],
  options: Options,
): Promise<Outcome> {
  const project = await loadProject(io, options);
  const servers: LoadedServer[] = [];
  for (const path of await chosenServers(io, project, files, options.all === true)) {
    servers.push(await loadServer(project, path));
  }
  const plan = await planManifests(servers, project, {
    replace: options.replace === true,
    now: io.now,
  });
  const orphans = options.all === true ? await orphanNotes(project, servers) : [];
  const dryRun = options.dryRun === true || options.check === true;
  await writeChanges(plan.changes, { io, printer, dryRun });
  const changed = plan.changes.filter(({ before, after }) => before !== after);
  const notes = [...plan.notes, ...orphans];
  for (const note of notes) printer.line(`${printer.style('yellow', 'note:')} ${note}`);
  if (changed.length === 0)
    printer.line(`Nothing to change: ${servers.map(({ spec }) => spec.name).join(', ') || 'no servers'}`);
  else
    printer.line(
      `${changed.length} ${changed.length === 1 ? 'file' : 'files'} ${dryRun ? 'would change' : 'written'}`,
    );
  printer.value({
    servers: servers.map(({ spec }) => spec.name),
    files: changed.map(({ path, before }) => ({
      path: shownPath(project, path),
      change: before === null ? 'made' : 'changed',
    })),
    notes,
  });
  return options.check === true && changed.length > 0 ? 'problems' : 'ok';
}
