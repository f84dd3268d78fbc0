import { CommandError } from '../command-error.ts';
import type { Io } from '../output/io.ts';
import type { Conventions } from '../spec/conventions.ts';
import type { Project } from '../spec/load.ts';
import { type ApiClientOptions, createApiClient } from './api-client.ts';
import { type Cluster, createCluster } from './cluster.ts';
import { notAnApiServer } from './cluster-error.ts';
import { type ContextOptions, loadKubeconfig } from './kubeconfig.ts';
import type { Live } from './live.ts';

/** What is going to be done there: servers are only put into clusters that are allowed, and taken out of any. */
export type Purpose = 'read' | 'deploy' | 'remove';

/** Connects, and makes sure that it is that cluster: by the uid of kube-system, which no other cluster has. */
export async function connectCluster(
  io: Io,
  project: Pick<Project, 'conventions'>,
  purpose: Purpose,
  options: ContextOptions & ApiClientOptions = {},
): Promise<Cluster> {
  const { conventions } = project;
  const name = options.cluster ?? conventions.cluster;
  const known = conventions.clusters[name];
  if (known === undefined) {
    throw new CommandError('cluster.unknown', `conventions.yaml knows no cluster ${name}`, [
      `There are: ${Object.keys(conventions.clusters).join(', ')}.`,
    ]);
  }
  if (purpose === 'deploy' && !known.allowed) {
    const allowed = Object.keys(conventions.clusters).filter((one) => conventions.clusters[one]?.allowed);
    throw new CommandError('cluster.not-allowed', `MCP servers do not run in ${name}`, [
      `They run in ${allowed.join(', ')}: sallyport deploy migrate <name> cluster moves one there.`,
    ]);
  }
  const client = await import('@kubernetes/client-node');
  const config = loadKubeconfig(io, client, name, conventions, options);
  const api = createApiClient(io, client, config, options);
  try {
    const path = '/api/v1/namespaces/kube-system';
    const { metadata } = await api.json<Partial<Live>>(path);
    if (!metadata?.uid) throw notAnApiServer(api.context, path);
    checkIdentity(conventions, name, metadata.uid, purpose, api.context);
    return createCluster(name, metadata.uid, api);
  } catch (error) {
    await api.close();
    throw error;
  }
}

function checkIdentity(
  conventions: Conventions,
  name: string,
  uid: string,
  purpose: Purpose,
  context: string,
): void {
  const pinned = conventions.clusters[name]?.uid;
  if (pinned === uid) return;
  const other = Object.entries(conventions.clusters).find(([, cluster]) => cluster.uid === uid)?.[0];
  if (pinned !== undefined || other !== undefined) {
    const is = other === undefined ? `another cluster (uid ${uid})` : other;
    throw new CommandError('cluster.wrong', `The context ${context} leads to ${is}, not to ${name}`, [
      `Name the right one with --context, or in clusters.${name}.context of conventions.yaml.`,
    ]);
  }
  if (purpose === 'read') return;
  throw new CommandError(
    'cluster.not-pinned',
    `It is not certain that the context ${context} leads to ${name}`,
    [
      `If it does, pin it in conventions.yaml: clusters: { ${name}: { uid: ${uid} } }`,
      'That is the uid of its namespace kube-system, which no other cluster has.',
    ],
  );
}
