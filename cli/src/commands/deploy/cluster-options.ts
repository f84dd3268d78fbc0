import type { Command } from 'commander';

/** What every command that speaks to clusters takes. */
export interface ClusterOptions {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly conventions?: string;
}

export function clusterOptions(command: Command): Command {
  return command
    .option(
      '--context <name>',
      'context of the kubeconfig; the one of the cluster in conventions.yaml unless given',
    )
    .option('--kubeconfig <file>', 'kubeconfig; KUBECONFIG or ~/.kube/config unless given')
    .option('--conventions <file>', 'conventions.yaml, found upwards from here unless given');
}
