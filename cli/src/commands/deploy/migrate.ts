import { Argument } from 'commander';
import { chosenByName } from '../../cluster/chosen.ts';
import { loadProject } from '../../spec/load.ts';
import type { AddCommand, Context, Outcome } from '../command.ts';
import { seconds } from '../whole-number.ts';
import { type ClusterOptions, clusterOptions } from './cluster-options.ts';
import { migrateToCluster } from './migrate-cluster.ts';
import { migrateToLabels } from './migrate-labels.ts';

export interface MigrateOptions extends ClusterOptions {
  readonly yes?: true;
  readonly dryRun?: true;
  readonly timeout: number;
  readonly from?: string;
  readonly continue?: true;
  readonly acceptTools?: true;
  readonly oldIsQuiet?: true;
}

/** `sallyport deploy migrate <server> labels|cluster`: what cannot be changed in place. */
export const addMigrate: AddCommand = (parent, act) => {
  const command = parent
    .command('migrate')
    .argument('<server>', 'name of the server')
    .addArgument(
      new Argument(
        '<what>',
        'labels: those of the convention, without an outage; cluster: out of one where servers do not run',
      ).choices(['labels', 'cluster']),
    )
    .description('change of a running server what cannot be changed in place; running it again goes on')
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'show where it stands and what would be done, and change nothing')
    .option('--timeout <seconds>', 'how long each rollout may take', seconds, 180)
    .option('--from <cluster>', 'cluster: where it runs now')
    .option('--continue', 'cluster: go on with the plan in git')
    .option('--accept-tools', 'cluster: the tools may differ from those of the old one')
    .option('--old-is-quiet', 'cluster: nobody calls the old one any more, whatever its log shows');
  clusterOptions(command).action(act(migrate));
};

async function migrate(
  context: Context,
  name: string,
  what: 'labels' | 'cluster',
  options: MigrateOptions,
): Promise<Outcome> {
  const project = await loadProject(context.io, options);
  if (what === 'cluster') return await migrateToCluster(context, project, name, options);
  const [server] = await chosenByName(context.io, project, [name]);
  return server === undefined ? 'problems' : await migrateToLabels(context, project, server, options);
}
