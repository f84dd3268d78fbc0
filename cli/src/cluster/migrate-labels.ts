import { CommandError } from '../command-error.ts';
import type { KubernetesObject } from '../manifests/object.ts';
import type { Io } from '../output/io.ts';
import type { WantedServer } from './chosen.ts';
import type { Cluster } from './cluster.ts';
import type { LiveDeployment } from './live.ts';
import {
  adopting,
  emptyLeftSets,
  type Relabelling,
  type RelabelState,
  type RelabelStep,
  readRelabelState,
  relabellingOf,
  withBothLabels,
} from './relabel.ts';
import { notReady, readRollout } from './rollout.ts';

export interface MigratingLabels {
  readonly io: Io;
  readonly cluster: Cluster;
  readonly wanted: WantedServer;
  /** Of each of the two rollouts. */
  readonly timeoutMs: number;
  readonly onStep: (step: RelabelStep) => void;
}

const pollMs = 1000;
/** What leads calls to pods, or shuts them out: these follow the pods. */
const afterPods = new Set([
  'Service',
  'NetworkPolicy',
  'PodDisruptionBudget',
  'Ingress',
  'ServiceMonitor',
  'Deployment',
]);

/** Goes on from wherever it stands, one step after the other, until nothing is left to do. */
export async function migrateLabels(migrating: MigratingLabels): Promise<void> {
  const { cluster, wanted, onStep } = migrating;
  const relabelling = relabellingOf(wanted);
  for (let last: RelabelStep | null = null; ; ) {
    const state = await readRelabelState(cluster, relabelling);
    if (state.step === 'done') break;
    if (state.step === last) {
      throw new CommandError('migrate.stuck', `The cluster is not as the step ${last} was to make it`, [
        'Somebody else may be changing these objects; running it again goes on from where it stands.',
      ]);
    }
    last = state.step;
    onStep(state.step);
    await perform(migrating, relabelling, state);
  }
  const rest = wanted.objects.filter(({ kind }) => afterPods.has(kind) && kind !== 'Deployment');
  for (const object of rest) await cluster.apply(object, { force: true });
  for (const set of await emptyLeftSets(cluster, relabelling.deployment))
    await cluster.remove(set, 'Background');
}

async function perform(
  migrating: MigratingLabels,
  relabelling: Relabelling,
  state: RelabelState,
): Promise<void> {
  const { cluster, wanted } = migrating;
  const { deployment, services } = relabelling;
  if (state.step === 'both-labels') {
    for (const object of wanted.objects)
      if (!afterPods.has(object.kind)) await cluster.apply(object, { force: true });
    await cluster.replace(withBothLabels(relabelling, state.live));
    await rolledOut(migrating, deployment);
  } else if (state.step === 'let-go') {
    await cluster.remove(state.live, 'Orphan');
    await gone(migrating, state.live);
  } else if (state.step === 'adopt') {
    await cluster.apply(adopting(relabelling, state.set), { force: true });
    for (const service of services) await cluster.apply(service, { force: true });
    await rolledOut(migrating, deployment);
  } else if (state.step === 'finish') {
    // The Service first: the pods that come next have only the new labels.
    for (const object of [...services, deployment]) await cluster.apply(object, { force: true });
    await rolledOut(migrating, deployment);
  }
}

async function rolledOut(
  { io, cluster, timeoutMs }: MigratingLabels,
  deployment: KubernetesObject,
): Promise<void> {
  const began = io.now();
  for (;;) {
    const live = await cluster.get<LiveDeployment>(deployment);
    if (live === null)
      throw new CommandError(
        'migrate.gone',
        `Somebody removed Deployment ${deployment.metadata.name} meanwhile`,
      );
    const { done, said, trouble } = await readRollout(cluster, live);
    if (done) return;
    const isLate = io.now() - began >= timeoutMs;
    if (isLate || (trouble !== null && !trouble.mayPass)) {
      const { reason, message, hint, logs } = trouble ?? (await notReady(cluster, live));
      throw new CommandError('migrate.rollout', `The new pods do not start: ${reason}: ${message}`, [
        ...logs.map((line) => `| ${line}`),
        hint,
        `${said}. The pods of before go on answering; running it again goes on from here.`,
      ]);
    }
    await io.sleep(pollMs, io.signal);
    io.signal.throwIfAborted();
  }
}

/** Its removal takes a moment: whatever owned its pods has to be told that it is gone first. */
async function gone({ io, cluster, timeoutMs }: MigratingLabels, live: LiveDeployment): Promise<void> {
  const began = io.now();
  while ((await cluster.get(live))?.metadata.uid === live.metadata.uid) {
    if (io.now() - began >= timeoutMs) {
      throw new CommandError(
        'migrate.not-gone',
        `Deployment ${live.metadata.name} is being removed, but is not gone`,
        ['A finalizer may keep it; its pods go on answering. Running it again goes on from here.'],
      );
    }
    await io.sleep(pollMs, io.signal);
    io.signal.throwIfAborted();
  }
}
