import { CommandError } from '../command-error.ts';
import type { Io } from '../output/io.ts';
import type { Conventions } from '../spec/conventions.ts';
import type { Cluster } from './cluster.ts';
import type { LivePod, LiveService, ServicePort } from './live.ts';
import { forwardPort } from './port-forward.ts';
import { isReadyPod } from './rollout.ts';

export const ways = ['service-proxy', 'port-forward', 'node-port'] as const;
export type Way = (typeof ways)[number];

/** A way to the MCP endpoint. */
export interface Reach {
  readonly url: string;
  readonly fetch: typeof fetch;
  /** What went wrong on the way, where that is known. */
  said(): string;
  close(): Promise<void>;
}

export interface Destination {
  readonly service: LiveService;
  /** Of the MCP endpoint. */
  readonly path: string;
  readonly conventions: Conventions;
}

/**
 * The way that clients take: through the node where there is a NodePort and the conventions name a node; else through the
 * Service, as whoever is in the cluster goes.
 */
export function usualWay(cluster: Cluster, { service, conventions }: Destination): Way {
  const nodePort = mcpPort(service)?.nodePort;
  return nodePort !== undefined && conventions.clusters[cluster.name]?.node !== undefined
    ? 'node-port'
    : 'service-proxy';
}

export async function openReach(
  io: Io,
  cluster: Cluster,
  way: Way,
  destination: Destination,
): Promise<Reach> {
  const { service, path } = destination;
  const { name, namespace = 'default' } = service.metadata;
  const port = mcpPort(service);
  if (port === undefined)
    throw new CommandError('verify.no-port', `Service ${namespace}/${name} has no port`);
  const nothing = { said: () => '', close: async () => undefined };
  if (way === 'service-proxy') {
    const base = `${cluster.api.server}/api/v1/namespaces/${namespace}/services`;
    const url = `${base}/http:${name}:${port.name ?? port.port}/proxy${path}`;
    return { url, fetch: cluster.api.fetch, ...nothing };
  }
  if (way === 'node-port') {
    const node = destination.conventions.clusters[cluster.name]?.node;
    if (port.nodePort === undefined || node === undefined) {
      throw new CommandError('verify.no-node-port', `${name} is not reached through a node`, [
        port.nodePort === undefined
          ? 'Its Service has no NodePort.'
          : `conventions.yaml names no node: clusters.${cluster.name}.node`,
      ]);
    }
    return { url: `http://${node}:${port.nodePort}${path}`, fetch: io.fetch, ...nothing };
  }
  const pod = await readyPod(cluster, service);
  const forward = await forwardPort(cluster.api, namespace, pod.metadata.name, targetPort(port, pod));
  return { url: `${forward.url}${path}`, fetch: io.fetch, said: forward.said, close: forward.close };
}

/** The port with the name that the convention gives it, or the only one. */
export function mcpPort({ spec }: LiveService): ServicePort | undefined {
  const ports = spec.ports ?? [];
  return (
    ports.find(({ name }) => name === 'http-mcp' || name === 'mcp') ??
    ports.find(({ name }) => name !== 'metrics')
  );
}

async function readyPod(cluster: Cluster, service: LiveService): Promise<LivePod> {
  const { name, namespace = 'default' } = service.metadata;
  const selector = { matchLabels: service.spec.selector ?? {} };
  const pods = await cluster.list<LivePod>({ apiVersion: 'v1', kind: 'Pod', namespace, selector });
  const ready = pods.find(isReadyPod);
  if (ready !== undefined) return ready;
  throw new CommandError('verify.no-pod', `No pod of Service ${namespace}/${name} is ready`);
}

interface PodPorts {
  readonly containers?: readonly {
    readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  }[];
}

function targetPort({ port, targetPort: target = port }: ServicePort, pod: LivePod): number {
  if (typeof target === 'number') return target;
  const ports = ((pod.spec as PodPorts).containers ?? []).flatMap(({ ports = [] }) => ports);
  const found = ports.find(({ name }) => name === target);
  if (found !== undefined) return found.containerPort;
  throw new CommandError('verify.no-port', `Pod ${pod.metadata.name} has no port named ${target}`);
}
