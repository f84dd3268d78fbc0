import { join } from 'node:path';
import { CommandError } from '../command-error.ts';
import { readText } from '../files/read-text.ts';
import { writeChanges } from '../files/write-changes.ts';
import { planImport } from '../importing/import-files.ts';
import { namesOf } from '../manifests/names.ts';
import { printManifests } from '../manifests/print.ts';
import { secretsOf } from '../manifests/secrets.ts';
import { confirm } from '../output/ask.ts';
import type { Io } from '../output/io.ts';
import type { Printer } from '../output/printer.ts';
import type { LoadedServer, Project } from '../spec/load.ts';
import { applyAll, keptAdvice, keptBy, refuseTrouble } from './apply.ts';
import { chosenByName, type Wanted, type WantedServer, wantedOf } from './chosen.ts';
import type { Cluster } from './cluster.ts';
import type { Purpose } from './connect.ts';
import { exported, inventoryOf } from './inventory.ts';
import type { Live } from './live.ts';
import { liveDiff } from './live-diff.ts';
import { stepQuiet, stepRemove } from './migrate-removal.ts';
import {
  exportPath,
  type MigrationPlan,
  type MigrationStep,
  nextStep,
  planChange,
} from './migration-plan.ts';
import { printObjectDiff } from './print-diff.ts';
import { printStage } from './print-stage.ts';
import { openReach } from './reach.ts';
import { switchRegistration } from './switch-registration.ts';
import { type Verified, verifyServer } from './verify.ts';
import { toolDifferences, type VerifiedTool, verifyTools } from './verify-tools.ts';

export interface Migrating {
  readonly io: Io;
  readonly printer: Printer;
  readonly project: Project;
  readonly name: string;
  /** Of the plan; of its server.yaml, where there is one. */
  readonly folder: string;
  readonly timeoutMs: number;
  readonly yes: boolean;
  /** The tools may differ from those of the old one. */
  readonly acceptTools: boolean;
  /** Somebody knows that nobody calls the old one. */
  readonly oldIsQuiet: boolean;
  connect(cluster: string, purpose: Purpose): Promise<Cluster>;
}

/** What has to be there before it can go on. */
export interface Missing {
  readonly said: string;
  readonly advice: readonly string[];
}

/** Takes down what the wrong cluster has; changes nothing there. */
export async function startMigration(migrating: Migrating, from: string, to: string): Promise<MigrationPlan> {
  const { io, printer, project, name, folder } = migrating;
  if (from === to) throw new CommandError('migrate.same-cluster', `${name} is to run in ${to} already`);
  const cluster = await migrating.connect(from, 'remove');
  const workload = `${name}${project.conventions.suffix}`;
  const { deployment, service, items } = await inventoryOf(cluster, workload);
  const tools = service === null ? null : await toolsThroughService(io, project, cluster, service);
  const plan: MigrationPlan = {
    server: name,
    from: {
      cluster: from,
      uid: cluster.uid,
      namespace: deployment.metadata.namespace ?? 'default',
      deployment: deployment.metadata.name,
    },
    to,
    tools: tools === null ? null : tools.map(({ name: tool, schema }) => ({ name: tool, schema })),
    objects: items.map(({ object: { apiVersion, kind, metadata }, stays }) => ({
      apiVersion,
      kind,
      namespace: metadata.namespace ?? 'default',
      name: metadata.name,
      uid: metadata.uid,
      stays,
    })),
    done: {},
  };
  const { namespace } = project.conventions;
  const text = printManifests(
    items.map(({ object }) => exported(object, namespace)),
    [`What ${from} had of ${name}, there in namespace ${plan.from.namespace}.`],
  );
  const path = exportPath(folder);
  const changes = [await planChange(folder, plan), { path, before: await readText(path), after: text }];
  await writeChanges(changes, { io, printer, dryRun: false, namesOnly: true });
  return plan;
}

async function toolsThroughService(
  io: Io,
  { conventions }: Project,
  cluster: Cluster,
  service: Live,
): Promise<readonly VerifiedTool[] | null> {
  const path = '/mcp';
  const destination = { service: service as Parameters<typeof openReach>[3]['service'], path, conventions };
  const { url, fetch, close } = await openReach(io, cluster, 'service-proxy', destination);
  try {
    const { eras, tools } = await verifyTools(url, { fetch, timeoutMs: 10_000, signal: io.signal });
    return eras.some(({ error }) => error === null) ? tools : null;
  } finally {
    await close();
  }
}

/** Goes as far as it can; what is done is in the file before the next step begins. */
export async function continueMigration(
  given: Migrating,
  plan: MigrationPlan,
  onStep: (step: MigrationStep, missing: Missing | null) => void,
): Promise<boolean> {
  const migrating = betweenTwo(given, plan);
  const { io, printer, folder } = migrating;
  for (let step = nextStep(plan); step !== null; step = nextStep(plan)) {
    const missing = await steps[step](migrating, plan);
    onStep(step, missing);
    if (missing !== null) return false;
    plan.done[step] = new Date(io.now()).toISOString();
    await writeChanges([await planChange(folder, plan)], {
      io,
      printer: { ...printer, line: () => undefined },
      dryRun: false,
    });
  }
  return true;
}

/** It goes from the very cluster of the plan to another one, whatever they are called: else the new one would be removed. */
function betweenTwo(migrating: Migrating, { from }: MigrationPlan): Migrating {
  const connect: Migrating['connect'] = async (name, purpose) => {
    const cluster = await migrating.connect(name, purpose);
    if ((cluster.uid === from.uid) === (purpose === 'remove')) return cluster;
    const said =
      purpose === 'remove' ? `is not the cluster that the plan began with` : `is the cluster that it leaves`;
    throw new CommandError('migrate.other-cluster', `${name} ${said}: nothing is done`, [
      `The plan is about a cluster with the uid ${from.uid}; ${name} has ${cluster.uid}.`,
    ]);
  };
  return { ...migrating, connect };
}

const steps: Readonly<
  Record<MigrationStep, (migrating: Migrating, plan: MigrationPlan) => Promise<Missing | null>>
> = {
  spec: stepSpec,
  secrets: stepSecrets,
  apply: stepApply,
  verify: stepVerify,
  switch: stepSwitch,
  quiet: stepQuiet,
  remove: async (migrating, plan) => {
    // What is removed cannot be brought back: the new one has to answer now, not only when it was verified.
    const { passed, tools } = await verifyNew(migrating, plan);
    if (!passed)
      return { said: `${plan.server} does not pass in ${plan.to} any more: nothing is removed`, advice: [] };
    return otherTools(migrating, plan, tools) ?? stepRemove(migrating, plan);
  },
};

async function serverOf({ io, project, name }: Migrating): Promise<LoadedServer | null> {
  const servers = await chosenByName(io, project, [name]).catch((error: unknown) => {
    if (error instanceof CommandError && error.code === 'spec.unknown-name') return [];
    throw error;
  });
  return servers[0] ?? null;
}

async function wantedNow(migrating: Migrating): Promise<{ all: Wanted; one: WantedServer }> {
  const server = await serverOf(migrating);
  if (server === null)
    throw new CommandError('spec.unknown-name', `There is no server.yaml of ${migrating.name} any more`);
  const all = await wantedOf(migrating.io, [server], migrating.project);
  return { all, one: all.servers[0] as WantedServer };
}

async function stepSpec(migrating: Migrating, { to }: MigrationPlan): Promise<Missing | null> {
  const { io, printer, project, folder, name } = migrating;
  let server = await serverOf(migrating);
  if (server === null) {
    const { changes } = await planImport([exportPath(folder)], project, join(folder, '..'));
    await writeChanges(changes, { io, printer, dryRun: false });
    server = await serverOf(migrating);
  }
  if (server === null)
    return { said: `what was imported is not named ${name}`, advice: ['Name it so in its server.yaml.'] };
  const { cluster } = namesOf(server.spec, project.conventions);
  if (cluster === to) return null;
  return { said: `its server.yaml says cluster: ${cluster}, not ${to}`, advice: ['Change it there.'] };
}

async function stepSecrets(migrating: Migrating, plan: MigrationPlan): Promise<Missing | null> {
  const { project, name } = migrating;
  const { one } = await wantedNow(migrating);
  const { namespace } = one.names;
  const secrets = secretsOf(one.server.spec, project.conventions);
  const advice: string[] = [];
  for (const { name: secret, from, env } of secrets) {
    const what = `Secret ${namespace}/${secret}`;
    if (from === 'sealed') {
      const sealed = one.objects.find(
        (object) => object.kind === 'SealedSecret' && object.metadata.name === secret,
      );
      if (sealed === undefined)
        advice.push(
          `${what} is not sealed for ${plan.to} yet: sallyport deploy seal ${name}, with the certificate of ${plan.to}`,
        );
      else if (await isCopied(migrating, plan, sealed as unknown as Sealed)) {
        advice.push(
          `${what} has ciphertext of ${plan.from.cluster}, which only opens there: sallyport deploy seal ${name} seals it anew`,
        );
      }
    } else if (from === 'existing') {
      const cluster = await migrating.connect(plan.to, 'deploy');
      const live = await cluster.get({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: secret, namespace },
      });
      const lacking = Object.values(env).filter((key) => !Object.hasOwn((live?.data ?? {}) as object, key));
      if (live === null)
        advice.push(`${what} is not in ${plan.to}: make it there, with ${Object.values(env).join(', ')}`);
      else if (lacking.length > 0) advice.push(`${what} in ${plan.to} lacks ${lacking.join(', ')}`);
    }
  }
  return advice.length === 0 ? null : { said: 'secrets are missing in the new cluster', advice };
}

interface Sealed extends Live {
  readonly spec: { readonly encryptedData?: Readonly<Record<string, string>> };
}

async function isCopied(migrating: Migrating, { from }: MigrationPlan, sealed: Sealed): Promise<boolean> {
  const cluster = await migrating.connect(from.cluster, 'remove');
  const { apiVersion, kind, metadata } = sealed;
  const old = await cluster.get<Sealed>({
    apiVersion,
    kind,
    metadata: { name: metadata.name, namespace: from.namespace },
  });
  const before = new Set(Object.values(old?.spec.encryptedData ?? {}));
  return Object.values(sealed.spec.encryptedData ?? {}).some((text) => before.has(text));
}

async function stepApply(migrating: Migrating, plan: MigrationPlan): Promise<Missing | null> {
  const { io, printer, project, name } = migrating;
  const { all, one } = await wantedNow(migrating);
  const cluster = await migrating.connect(plan.to, 'deploy');
  const diffs = await liveDiff(cluster, one.objects);
  for (const diff of diffs) printObjectDiff(printer, diff);
  const owner = keptBy(diffs);
  if (owner === null) refuseTrouble(name, diffs, false);
  const changes = diffs.some(({ change }) => change !== 'same');
  if (owner === null && changes) await confirm(io, `Apply this to ${plan.to}?`, migrating.yes);
  // Clients are sent there only when it answers.
  const mcpJson = join(project.root, project.conventions.mcpJson);
  await writeChanges(
    all.changes.filter(({ path }) => path !== mcpJson),
    { io, printer, dryRun: false, namesOnly: true },
  );
  if (owner === null) {
    await applyAll(io, cluster, one.objects, false, () => undefined);
    return null;
  }
  if (!changes) return null;
  return { said: keptAdvice(owner), advice: ['When that is done, --continue goes on.'] };
}

async function verifyNew(migrating: Migrating, plan: MigrationPlan): Promise<Verified> {
  const { io, project, printer, timeoutMs } = migrating;
  const { one: wanted } = await wantedNow(migrating);
  const cluster = await migrating.connect(plan.to, 'deploy');
  return verifyServer({
    io,
    project,
    cluster,
    wanted,
    timeoutMs,
    onStage: (stage) => printStage(printer, stage),
  });
}

async function stepVerify(migrating: Migrating, plan: MigrationPlan): Promise<Missing | null> {
  const { passed, tools } = await verifyNew(migrating, plan);
  if (!passed) return { said: `it does not pass in ${plan.to} yet`, advice: [] };
  return otherTools(migrating, plan, tools);
}

function otherTools(
  migrating: Migrating,
  plan: MigrationPlan,
  tools: readonly VerifiedTool[],
): Missing | null {
  if (migrating.acceptTools) return null;
  const advice = ['--accept-tools goes on all the same.'];
  if (plan.tools === null)
    return { said: 'the old one did not list its tools, so they cannot be compared', advice };
  const differing = toolDifferences(plan.tools, tools);
  if (differing.length === 0) return null;
  return { said: `tools differ from those of the old one: ${differing.join(', ')}`, advice };
}

async function stepSwitch(migrating: Migrating): Promise<Missing | null> {
  const { io, printer, project } = migrating;
  const { all, one } = await wantedNow(migrating);
  await writeChanges(all.changes, { io, printer, dryRun: false });
  return switchRegistration(io, project, one.server.spec, (line) => printer.line(line));
}
