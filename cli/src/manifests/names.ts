import type { Conventions } from '../spec/conventions.ts';
import type { ServerSpec } from '../spec/server-spec.ts';

/** Every name and number that is made of a spec and the conventions. */
export interface Names {
  /** `<name>-mcp`: of Deployment, Service, NetworkPolicy, ServiceAccount. */
  readonly workload: string;
  /** `<name>-mcp-code` */
  readonly codeConfigMap: string;
  /** `<name>-mcp-secrets`, of the Secret whose name is left out. */
  readonly secret: string;
  /** `<name>-mcp.yaml` */
  readonly file: string;
  readonly namespace: string;
  readonly cluster: string;
  /** Where the container listens. */
  readonly port: number;
  /** Where the Service does. */
  readonly servicePort: number;
}

/** Labels that every object has, and the only ones that select. */
export const nameLabel = 'app.kubernetes.io/name';
export const componentLabel = 'app.kubernetes.io/component';
/** Name of the Service's port. */
export const portName = 'http-mcp';

export function namesOf(spec: ServerSpec, conventions: Conventions): Names {
  const workload = `${spec.name}${conventions.suffix}`;
  const port = spec.port ?? conventions.patterns[spec.pattern].port;
  return {
    workload,
    codeConfigMap: `${workload}-code`,
    secret: `${workload}-secrets`,
    file: `${workload}.yaml`,
    namespace: spec.namespace ?? conventions.namespace,
    cluster: spec.cluster ?? conventions.cluster,
    port,
    servicePort: spec.servicePort ?? port,
  };
}

export function selectorOf(spec: ServerSpec, conventions: Conventions): Readonly<Record<string, string>> {
  return { [nameLabel]: namesOf(spec, conventions).workload, [componentLabel]: conventions.component };
}

/** Address of the MCP endpoint for who is inside the cluster. */
export function clusterUrl(spec: ServerSpec, conventions: Conventions): string {
  const { workload, namespace, cluster, servicePort } = namesOf(spec, conventions);
  const domain = conventions.clusters[cluster]?.clusterDomain ?? 'cluster.local';
  return `http://${workload}.${namespace}.svc.${domain}:${servicePort}${spec.path}`;
}

/** Address through a port of every node; `null` where the conventions name no node of the cluster. */
export function nodeUrl(spec: ServerSpec, conventions: Conventions, nodePort: number): string | null {
  const node = conventions.clusters[namesOf(spec, conventions).cluster]?.node;
  return node === undefined ? null : `http://${node}:${nodePort}${spec.path}`;
}
