import { CommandError } from '../command-error.ts';
import { objectTitle } from '../manifests/object.ts';
import { confirm } from '../output/ask.ts';
import type { Cluster } from './cluster.ts';
import { inventoryOf } from './inventory.ts';
import type { Live, LiveDeployment, LivePod } from './live.ts';
import type { Migrating, Missing } from './migrate-cluster.ts';
import type { MigrationPlan, PlannedObject } from './migration-plan.ts';
import { ownerOf, ownerTitle } from './owners.ts';

/** So long nobody may have called it. */
const quietMs = 10 * 60_000;
const logLines = 5000;

const refOf = ({ apiVersion, kind, namespace, name }: PlannedObject) => ({
  apiVersion,
  kind,
  metadata: { name, namespace },
});

/** Whether clients have left the old server, as far as its log shows calls. */
export async function stepQuiet(migrating: Migrating, plan: MigrationPlan): Promise<Missing | null> {
  if (migrating.oldIsQuiet) return null;
  const cluster = await migrating.connect(plan.from.cluster, 'remove');
  const { namespace, deployment: name } = plan.from;
  const deployment = await cluster.get<LiveDeployment>({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
  });
  if (deployment === null) return null;
  const { selector } = deployment.spec;
  const pods = await cluster.list<LivePod>({ apiVersion: 'v1', kind: 'Pod', namespace, selector });
  if (pods.length === 0) return null;
  const advice = ['--continue looks again later; --old-is-quiet goes on for who knows better.'];
  const switched = Date.parse(plan.done.switch ?? '') || migrating.io.now();
  if (migrating.io.now() - switched < quietMs) {
    return {
      said: `clients were switched at ${plan.done.switch}: ten minutes without a call are to pass`,
      advice,
    };
  }
  const recent = await calls(cluster, namespace, pods, quietMs / 1000);
  if (recent > 0)
    return {
      said: `it was called ${recent} times within ten minutes: some client still has the old address`,
      advice,
    };
  if ((await calls(cluster, namespace, pods)) > 0) return null;
  return { said: 'its log does not show calls, so it cannot be seen whether there are any', advice };
}

/** Lines of access logs that are about calls of MCP, which are all POST. */
async function calls(
  cluster: Cluster,
  namespace: string,
  pods: readonly LivePod[],
  sinceSeconds?: number,
): Promise<number> {
  let count = 0;
  for (const { metadata } of pods) {
    const options = { lines: logLines, ...(sinceSeconds !== undefined && { sinceSeconds }) };
    const text = await cluster.log(namespace, metadata.name, options).catch(() => '');
    count += text.split('\n').filter((line) => /\bPOST\b.*\/mcp\b/.test(line)).length;
  }
  return count;
}

/** Removes what the plan took down, and is still the same; what others keep or use stays. */
export async function stepRemove(migrating: Migrating, plan: MigrationPlan): Promise<Missing | null> {
  const { io, printer, yes } = migrating;
  const cluster = await migrating.connect(plan.from.cluster, 'remove');
  const going: Live[] = [];
  const kept: string[] = [];
  for (const planned of plan.objects.filter(({ stays }) => stays === null)) {
    const live = await cluster.get(refOf(planned));
    if (live === null || live.metadata.uid !== planned.uid) continue;
    const owner = ownerOf(live);
    if (owner !== null) kept.push(`${objectTitle(live)}, by ${ownerTitle(owner)}`);
    else going.push({ ...live, apiVersion: planned.apiVersion, kind: planned.kind });
  }
  if (kept.length > 0) {
    return {
      said: `these are kept in ${plan.from.cluster}, and would come back: ${kept.join('; ')}`,
      advice: [
        'Remove their manifests where they come from, and push; when they are gone, --continue ends it.',
      ],
    };
  }
  const others = await notOnlyOf(migrating, cluster, going);
  if (others.length > 0) {
    return {
      said: `these are not of ${migrating.name} alone, as ${plan.from.cluster} is now: ${others.join('; ')}`,
      advice: [
        'Nothing is removed. In migration.yaml, `stays` says of an object why it is left where it is.',
      ],
    };
  }
  if (going.length > 0) {
    for (const object of going) printer.line(`- ${objectTitle(object)}`);
    await confirm(io, `Remove these from ${plan.from.cluster}?`, yes);
  }
  // The way in first: whoever still calls is told at once rather than in the middle of a call.
  for (const object of going.sort((a, b) => order(a) - order(b))) await cluster.remove(object, 'Background');
  return null;
}

/** The plan is a file that people edit, and it gets old: what goes is looked for in the cluster again. */
async function notOnlyOf(
  { name, project }: Migrating,
  cluster: Cluster,
  going: readonly Live[],
): Promise<readonly string[]> {
  if (going.length === 0) return [];
  const items = await inventoryOf(cluster, `${name}${project.conventions.suffix}`).then(
    (found) => found.items,
    (error: unknown) => {
      if (error instanceof CommandError && error.code === 'migrate.not-found') return [];
      throw error;
    },
  );
  const free = new Set(items.filter(({ stays }) => stays === null).map(({ object }) => object.metadata.uid));
  return going.filter(({ metadata }) => !free.has(metadata.uid)).map(objectTitle);
}

/** The Deployment last: by it, what is only for it is found when it is interrupted. */
const order = ({ kind }: Live): number => ({ Ingress: 0, Service: 1, Deployment: 3 })[kind] ?? 2;
