import { dirname, join } from 'node:path';
import { chosenByName } from '../../cluster/chosen.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { connectCluster } from '../../cluster/connect.ts';
import { continueMigration, type Migrating, startMigration } from '../../cluster/migrate-cluster.ts';
import { type MigrationPlan, nextStep, planPath, readPlan } from '../../cluster/migration-plan.ts';
import { printPlan, printStep } from '../../cluster/print-migration.ts';
import { CommandError } from '../../command-error.ts';
import { usualFolder } from '../../importing/import-files.ts';
import { type Project, shownPath } from '../../spec/load.ts';
import type { Context, Outcome } from '../command.ts';
import type { MigrateOptions } from './migrate.ts';

/** `sallyport deploy migrate <server> cluster`: out of a cluster where servers do not run, by a plan in git. */
export async function migrateToCluster(
  context: Context,
  project: Project,
  given: string,
  options: MigrateOptions,
): Promise<Outcome> {
  const { io, printer } = context;
  const clusters = new Map<string, Cluster>();
  const { name, folder } = await placeOf(context, project, given);
  const migrating: Migrating = {
    io,
    printer,
    project,
    name,
    folder,
    timeoutMs: options.timeout * 1000,
    yes: options.yes === true,
    acceptTools: options.acceptTools === true,
    oldIsQuiet: options.oldIsQuiet === true,
    async connect(cluster, purpose) {
      const known = clusters.get(cluster);
      if (known !== undefined) return known;
      // Two clusters: each by its own context.
      const { context: _one, ...rest } = options;
      const made = await connectCluster(io, project, purpose, { ...rest, cluster });
      clusters.set(cluster, made);
      return made;
    },
  };
  try {
    const found = await readPlan(folder, name);
    if (options.dryRun === true && found !== null) {
      printPlan(printer, found);
      return 'ok';
    }
    const plan = await planOf(migrating, found, options);
    printer.line(`The plan is in ${shownPath(project, planPath(folder))}: commit it.`);
    const isDone = await continueMigration(migrating, plan, (step, missing) =>
      printStep(printer, step, missing),
    );
    printer.value({ ...plan, next: nextStep(plan) });
    return isDone ? 'ok' : 'problems';
  } finally {
    for (const cluster of clusters.values()) await cluster.close();
  }
}

/** Beside its server.yaml, or where an import would put one. It may be called as its Deployment is. */
async function placeOf(
  { io }: Context,
  project: Project,
  given: string,
): Promise<{ name: string; folder: string }> {
  try {
    const [server] = await chosenByName(io, project, [given]);
    if (server !== undefined) return { name: server.spec.name, folder: dirname(server.path) };
  } catch (error) {
    if (!(error instanceof CommandError) || error.code !== 'spec.unknown-name') throw error;
  }
  const { suffix } = project.conventions;
  const name = given.endsWith(suffix) ? given.slice(0, -suffix.length) : given;
  return { name, folder: join(usualFolder(project), name) };
}

async function planOf(
  migrating: Migrating,
  found: MigrationPlan | null,
  options: MigrateOptions,
): Promise<MigrationPlan> {
  const { name, project } = migrating;
  const goesOn = options.continue === true;
  if (found !== null && goesOn) return found;
  if (found !== null) {
    throw new CommandError(
      'migrate.under-way',
      `${name} is on its way from ${found.from.cluster} to ${found.to}`,
      ['--continue goes on; --dry-run shows how far it is.'],
    );
  }
  if (goesOn) {
    throw new CommandError('migrate.no-plan', `There is no plan of a migration of ${name}`, [
      `sallyport deploy migrate ${name} cluster --from <cluster> begins one.`,
    ]);
  }
  if (options.from === undefined) {
    const clusters = Object.entries(project.conventions.clusters).filter(([, { allowed }]) => !allowed);
    throw new CommandError('migrate.from-where', `From which cluster does ${name} move?`, [
      `--from says it: ${clusters.map(([one]) => one).join(', ')}`,
    ]);
  }
  if (options.dryRun === true)
    throw new CommandError('migrate.nothing-yet', `There is no plan of a migration of ${name} yet`, [
      'Beginning one changes nothing in a cluster before it asks.',
    ]);
  const [server] = await chosenByName(migrating.io, project, [name]).catch(() => []);
  return startMigration(migrating, options.from, server?.spec.cluster ?? project.conventions.cluster);
}
