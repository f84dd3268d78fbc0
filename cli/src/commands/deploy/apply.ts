import { applyAll, keptAdvice, keptBy, refuseTrouble } from '../../cluster/apply.ts';
import { byCluster, chosenByName, type Wanted, type WantedServer, wantedOf } from '../../cluster/chosen.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { connectCluster } from '../../cluster/connect.ts';
import { liveDiff, type ObjectDiff } from '../../cluster/live-diff.ts';
import { objectDiffValue, printObjectDiff } from '../../cluster/print-diff.ts';
import { printStage } from '../../cluster/print-stage.ts';
import { type Stage, verifyServer } from '../../cluster/verify.ts';
import { writeChanges } from '../../files/write-changes.ts';
import { objectTitle } from '../../manifests/object.ts';
import { confirm } from '../../output/ask.ts';
import { loadProject, type Project } from '../../spec/load.ts';
import type { AddCommand, Context, Outcome } from '../command.ts';
import { seconds } from '../whole-number.ts';
import { type ClusterOptions, clusterOptions } from './cluster-options.ts';

interface Options extends ClusterOptions {
  readonly yes?: true;
  readonly dryRun?: true;
  readonly forceConflicts?: true;
  readonly timeout: number;
}

/** What is applied to one cluster. */
interface Part {
  readonly cluster: Cluster;
  readonly servers: readonly { readonly wanted: WantedServer; readonly diffs: readonly ObjectDiff[] }[];
}

/** `sallyport deploy apply`: server-side apply, up to the tool list. */
export const addApply: AddCommand = (parent, act) => {
  const command = parent
    .command('apply')
    .argument('[servers...]', 'names of servers or server.yaml files; all of the repository unless given')
    .description('write the manifests, apply them where no GitOps does, and verify the servers')
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'show what would change, and change nothing')
    .option('--force-conflicts', 'take over fields that somebody else has applied')
    .option('--timeout <seconds>', 'how long a rollout may take', seconds, 120);
  clusterOptions(command).action(act(apply));
};

async function apply(context: Context, given: readonly string[], options: Options): Promise<Outcome> {
  const { io } = context;
  const project = await loadProject(io, options);
  const wanted = await wantedOf(io, await chosenByName(io, project, given), project);
  const parts: Part[] = [];
  try {
    for (const [name, servers] of byCluster(wanted.servers)) {
      const cluster = await connectCluster(io, project, 'deploy', { ...options, cluster: name });
      const diffed: { wanted: WantedServer; diffs: readonly ObjectDiff[] }[] = [];
      parts.push({ cluster, servers: diffed });
      for (const one of servers) diffed.push({ wanted: one, diffs: await liveDiff(cluster, one.objects) });
    }
    return await applyParts(context, project, wanted, parts, options);
  } finally {
    for (const { cluster } of parts) await cluster.close();
  }
}

async function applyParts(
  context: Context,
  project: Project,
  wanted: Wanted,
  parts: readonly Part[],
  options: Options,
): Promise<Outcome> {
  const { io, printer } = context;
  const all = parts.flatMap(({ servers }) => servers);
  for (const { diffs } of all) for (const diff of diffs) printObjectDiff(printer, diff);
  for (const note of wanted.notes) printer.line(`${printer.style('yellow', 'note:')} ${note}`);
  const ours = all.filter(({ diffs }) => keptBy(diffs) === null);
  for (const { wanted: one, diffs } of ours) {
    refuseTrouble(one.server.spec.name, diffs, options.forceConflicts === true);
  }
  const dryRun = options.dryRun === true;
  const changed = ours.some(({ diffs }) => diffs.some(isChange));
  if (changed && !dryRun) await confirm(io, 'Apply this?', options.yes === true);
  await writeChanges(wanted.changes, { io, printer, dryRun, namesOnly: !dryRun });
  const results = [];
  for (const { cluster, servers } of parts) {
    for (const server of servers) results.push(await applyOne(context, project, cluster, server, options));
  }
  printer.value({ servers: results });
  return results.every(({ passed }) => passed) ? 'ok' : 'problems';
}

const isChange = ({ change, conflicts }: ObjectDiff): boolean => change !== 'same' || conflicts.length > 0;

async function applyOne(
  { io, printer }: Context,
  project: Project,
  cluster: Cluster,
  { wanted, diffs }: Part['servers'][number],
  options: Options,
) {
  const { name } = wanted.server.spec;
  const kept = keptBy(diffs);
  const told = { name, cluster: cluster.name, kept, objects: diffs.map(objectDiffValue) };
  printer.line(printer.style('bold', `${name} in ${cluster.name}`));
  if (kept !== null) printer.line(`  ${keptAdvice(kept)}`);
  if (kept !== null || options.dryRun === true) return { ...told, passed: kept === null, stages: [] };
  await applyAll(io, cluster, wanted.objects, options.forceConflicts === true, (object) =>
    printer.progress(`applied ${objectTitle(object)}`),
  );
  const onStage = (stage: Stage) => printStage(printer, stage);
  const timeoutMs = options.timeout * 1000;
  return { ...told, ...(await verifyServer({ io, project, cluster, wanted, timeoutMs, onStage })) };
}
