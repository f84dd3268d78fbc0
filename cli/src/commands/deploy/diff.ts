import { byCluster, chosenByName, type Wanted, wantedOf } from '../../cluster/chosen.ts';
import { connectCluster } from '../../cluster/connect.ts';
import { gitDiff } from '../../cluster/git-diff.ts';
import { liveDiff, type ObjectDiff } from '../../cluster/live-diff.ts';
import { objectDiffValue, printFileDiff, printObjectDiff } from '../../cluster/print-diff.ts';
import { counted } from '../../output/counted.ts';
import { loadProject, type Project } from '../../spec/load.ts';
import type { AddCommand, Context, Outcome } from '../command.ts';
import { type ClusterOptions, clusterOptions } from './cluster-options.ts';

interface Options extends ClusterOptions {
  readonly live?: true;
}

/** `sallyport deploy diff`: what git says, or what the cluster has, against what server.yaml says. */
export const addDiff: AddCommand = (parent, act) => {
  const command = parent
    .command('diff')
    .argument('[servers...]', 'names of servers or server.yaml files; all of the repository unless given')
    .description('show what deploy generate would change in git, or with --live what apply would change')
    .option('--live', 'compare with the cluster, by a dry run that changes nothing');
  clusterOptions(command).action(act(diff));
};

async function diff(context: Context, given: readonly string[], options: Options): Promise<Outcome> {
  const project = await loadProject(context.io, options);
  const wanted = await wantedOf(context.io, await chosenByName(context.io, project, given), project);
  return options.live === true
    ? diffLive(context, project, wanted, options)
    : diffFiles(context, project, wanted);
}

function diffFiles({ printer }: Context, project: Project, wanted: Wanted): Outcome {
  const files = gitDiff(project, wanted.changes);
  for (const file of files) printFileDiff(printer, file);
  if (files.length === 0) {
    printer.line(`Nothing to change: ${wanted.servers.map(({ server }) => server.spec.name).join(', ')}`);
  }
  printer.value({ files });
  return files.length === 0 ? 'ok' : 'problems';
}

async function diffLive(
  { io, printer }: Context,
  project: Project,
  wanted: Wanted,
  options: Options,
): Promise<Outcome> {
  const found: ObjectDiff[] = [];
  for (const [name, servers] of byCluster(wanted.servers)) {
    const cluster = await connectCluster(io, project, 'read', { ...options, cluster: name });
    try {
      found.push(
        ...(await liveDiff(
          cluster,
          servers.flatMap(({ objects }) => objects),
        )),
      );
    } finally {
      await cluster.close();
    }
  }
  for (const one of found) printObjectDiff(printer, one);
  const different = found.filter(({ change, conflicts }) => change !== 'same' || conflicts.length > 0);
  if (different.length === 0)
    printer.line(`Nothing to change: ${counted(found.length, 'object')} in the cluster`);
  printer.value({ objects: found.map(objectDiffValue) });
  return different.length === 0 ? 'ok' : 'problems';
}
