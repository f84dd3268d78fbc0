import { type WantedServer, wantedOf } from '../../cluster/chosen.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { connectCluster } from '../../cluster/connect.ts';
import { migrateLabels } from '../../cluster/migrate-labels.ts';
import { printStage } from '../../cluster/print-stage.ts';
import {
  checkRelabel,
  type RelabelStep,
  readRelabelState,
  relabellingOf,
  relabelSteps,
} from '../../cluster/relabel.ts';
import { refuseKept } from '../../cluster/suspended.ts';
import { verifyServer } from '../../cluster/verify.ts';
import { writeChanges } from '../../files/write-changes.ts';
import { confirm } from '../../output/ask.ts';
import type { LoadedServer, Project } from '../../spec/load.ts';
import type { Context, Outcome } from '../command.ts';
import type { MigrateOptions } from './migrate.ts';

/** `sallyport deploy migrate <server> labels`: another selector, without a moment in which nothing answers. */
export async function migrateToLabels(
  context: Context,
  project: Project,
  server: LoadedServer,
  options: MigrateOptions,
): Promise<Outcome> {
  const { io, printer } = context;
  const { servers, changes } = await wantedOf(io, [server], project);
  const wanted = servers[0] as WantedServer;
  const cluster = await connectCluster(io, project, 'deploy', { ...options, cluster: wanted.names.cluster });
  try {
    const step = await check(cluster, wanted);
    printPlan(context, wanted, step);
    const told = { server: wanted.server.spec.name, cluster: cluster.name };
    const dryRun = options.dryRun === true;
    if (!dryRun && step !== 'done') await confirm(io, 'Go on with this?', options.yes === true);
    await writeChanges(changes, { io, printer, dryRun });
    if (dryRun) printer.value({ ...told, next: step });
    if (dryRun) return 'ok';
    const steps: RelabelStep[] = [];
    const timeoutMs = options.timeout * 1000;
    await migrateLabels({
      io,
      cluster,
      wanted,
      timeoutMs,
      onStep: (next) => {
        printer.progress(`${numberOf(next)} ${what(next)}`);
        steps.push(next);
      },
    });
    const onStage = (stage: Parameters<typeof printStage>[1]) => printStage(printer, stage);
    const verified = await verifyServer({ io, project, cluster, wanted, timeoutMs, onStage });
    printer.value({ ...told, steps, ...verified });
    return verified.passed ? 'ok' : 'problems';
  } finally {
    await cluster.close();
  }
}

async function check(cluster: Cluster, wanted: WantedServer): Promise<RelabelStep> {
  const relabelling = relabellingOf(wanted);
  const objects = [relabelling.deployment, ...relabelling.services];
  await refuseKept(cluster, await Promise.all(objects.map((object) => cluster.get(object))));
  const state = await readRelabelState(cluster, relabelling);
  await checkRelabel(cluster, relabelling, state);
  return state.step;
}

const numberOf = (step: RelabelStep): string =>
  `${relabelSteps.findIndex((one) => one.step === step) + 1}/${relabelSteps.length}`;

const what = (step: RelabelStep): string => relabelSteps.find((one) => one.step === step)?.what ?? '';

function printPlan({ printer }: Context, { server, names }: WantedServer, next: RelabelStep): void {
  printer.line(printer.style('bold', `${server.spec.name} in ${names.cluster}`));
  if (next === 'done') printer.line('  it has the labels of the convention already');
  const at = next === 'done' ? relabelSteps.length : relabelSteps.findIndex(({ step }) => step === next);
  for (const [index, { step, what: text }] of relabelSteps.entries()) {
    const sign = index < at ? printer.style('green', '✓') : index === at ? '→' : ' ';
    printer.line(`  ${sign} ${numberOf(step)} ${text}`);
  }
}
