import { existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { CommandError } from '../command-error.ts';
import type { Io } from '../output/io.ts';
import type { Conventions } from '../spec/conventions.ts';

export interface ContextOptions {
  /** Of the conventions; the one where servers run, unless given. */
  readonly cluster?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
}

type ClientNode = typeof import('@kubernetes/client-node');

/** The kubeconfig with the context that leads to a cluster of the conventions. */
export function loadKubeconfig(
  io: Pick<Io, 'cwd' | 'env'>,
  client: ClientNode,
  clusterName: string,
  conventions: Conventions,
  options: ContextOptions,
): KubeConfig {
  const files = kubeconfigFiles(io, options.kubeconfig);
  const config = new client.KubeConfig();
  config.loadFromOptions({ clusters: [], contexts: [], users: [] });
  for (const file of files) merge(config, read(client, file));
  const wanted = options.context ?? conventions.clusters[clusterName]?.context;
  const names = config.getContexts().map(({ name }) => name);
  const chosen =
    wanted ??
    (names.includes(clusterName) ? clusterName : (config.getCurrentContext() as string | undefined));
  if (chosen === undefined) {
    throw new CommandError('cluster.no-context', `No context leads to ${clusterName}`, [
      `Name one with --context, or pin clusters.${clusterName}.context in conventions.yaml. There are: ${listed(names)}.`,
    ]);
  }
  if (!names.includes(chosen)) {
    const from =
      options.context === undefined ? `clusters.${clusterName}.context of conventions.yaml` : '--context';
    throw new CommandError('cluster.unknown-context', `There is no context ${chosen}, which ${from} names`, [
      `${files.join(', ')} ${files.length === 1 ? 'has' : 'have'}: ${listed(names)}.`,
    ]);
  }
  config.setCurrentContext(chosen);
  allowPlainHttp(config, chosen);
  return config;
}

const listed = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '));

function kubeconfigFiles({ cwd, env }: Pick<Io, 'cwd' | 'env'>, given: string | undefined): string[] {
  const asked = given === undefined ? (env.KUBECONFIG ?? '').split(delimiter).filter(Boolean) : [given];
  const home = env.HOME ?? env.USERPROFILE;
  const files =
    asked.length > 0
      ? asked.map((file) => resolve(cwd, file))
      : home === undefined
        ? []
        : [join(home, '.kube', 'config')];
  const there = files.filter((file) => existsSync(file));
  if (there.length > 0) return there;
  throw new CommandError(
    'cluster.no-kubeconfig',
    'There is no kubeconfig, which says how to reach clusters',
    [
      files.length === 0
        ? 'Set KUBECONFIG, or name one with --kubeconfig.'
        : `Looked for ${files.join(', ')}; --kubeconfig and KUBECONFIG name others.`,
    ],
  );
}

function read(client: ClientNode, file: string): KubeConfig {
  const config = new client.KubeConfig();
  try {
    config.loadFromFile(file);
    return config;
  } catch (error) {
    // The message of a parser shows lines of the file, and there are tokens in it.
    const { reason, mark } = error as { reason?: string; mark?: { line: number; column: number } };
    const place = mark === undefined ? '' : `:${mark.line + 1}:${mark.column + 1}`;
    const why =
      reason ?? (mark === undefined ? (error as Error).message.split('\n')[0] : 'it is not valid YAML');
    throw new CommandError(
      'cluster.kubeconfig-invalid',
      `${file}${place} cannot be read as a kubeconfig: ${why}`,
    );
  }
}

/** As kubectl: of what several files name, the first file's counts. */
function merge(into: KubeConfig, from: KubeConfig): void {
  const news = <T extends { name: string }>(known: readonly T[], given: readonly T[] | undefined): T[] =>
    (given ?? []).filter(({ name }) => !known.some((one) => one.name === name));
  into.clusters = [...into.clusters, ...news(into.clusters, from.clusters)];
  into.contexts = [...into.contexts, ...news(into.contexts, from.contexts)];
  into.users = [...into.users, ...news(into.users, from.users)];
  const current = into.getCurrentContext() as string | undefined;
  if (!current && from.getCurrentContext()) into.setCurrentContext(from.getCurrentContext());
}

/** `kubectl proxy` speaks HTTP on this machine, which the client takes only for who says that nothing is checked. */
function allowPlainHttp(config: KubeConfig, context: string): void {
  const name = config.getContextObject(context)?.cluster;
  const at = config.clusters.findIndex((cluster) => cluster.name === name);
  const cluster = config.clusters[at];
  if (cluster === undefined) {
    throw new CommandError(
      'cluster.kubeconfig-invalid',
      `The context ${context} names a cluster that the kubeconfig does not have: ${name}`,
    );
  }
  const url = URL.parse(cluster.server);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new CommandError(
      'cluster.kubeconfig-invalid',
      `The address of cluster ${name} is no URL of an API server`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new CommandError(
      'cluster.kubeconfig-invalid',
      `The address of cluster ${name} has credentials in it, which end up in logs`,
      ['They belong to the user of the context.'],
    );
  }
  if (url.protocol === 'https:') return;
  if (!['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)) {
    throw new CommandError(
      'cluster.plain-http',
      `Cluster ${name} is at ${url.origin}: credentials go over HTTPS only`,
    );
  }
  config.clusters[at] = { ...cluster, skipTLSVerify: true };
}
