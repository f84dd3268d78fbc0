import { CommandError } from '../command-error.ts';
import type { Conventions } from '../spec/conventions.ts';
import type { ServerSpec } from '../spec/server-spec.ts';
import { annotation, metadataOf } from './metadata.ts';
import { namesOf, portName, selectorOf } from './names.ts';
import type { KubernetesObject } from './object.ts';
import { hasOwnMetricsPort } from './pod.ts';

/**
 * How calls reach the pods. Metrics get a Service of their own beside a NodePort, which would give every port of its
 * Service one on the nodes.
 */
export function services(
  spec: ServerSpec,
  conventions: Conventions,
  nodePort?: number,
): readonly KubernetesObject[] {
  const { servicePort, workload } = namesOf(spec, conventions);
  const wanted = spec.expose.nodePort;
  const given = nodePort ?? (typeof wanted === 'number' ? wanted : undefined);
  if (wanted !== undefined && given === undefined) {
    throw new CommandError('spec.node-port', `${spec.name} has no NodePort yet`, [
      'sallyport deploy generate takes one from the registry, sallyport deploy ports shows it.',
    ]);
  }
  const mcp = {
    name: portName,
    port: servicePort,
    targetPort: portName,
    protocol: 'TCP',
    appProtocol: 'http',
    ...(given !== undefined && { nodePort: given }),
  };
  const metrics = { name: 'metrics', port: spec.metricsPort, targetPort: 'metrics', protocol: 'TCP' };
  const apart = given !== undefined && hasOwnMetricsPort(spec, conventions);
  const service = (name: string, type: string, ports: readonly object[]): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(spec, conventions, { name }),
    spec: { type, selector: selectorOf(spec, conventions), ports },
  });
  const together = hasOwnMetricsPort(spec, conventions) && !apart;
  return [
    service(workload, given === undefined ? 'ClusterIP' : 'NodePort', together ? [mcp, metrics] : [mcp]),
    ...(apart ? [service(`${workload}-metrics`, 'ClusterIP', [metrics])] : []),
  ];
}

const namespaceNamed = (name: string) => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
});
const tcp = (port: number) => ({ port, protocol: 'TCP' });

/** Nobody but the gateway calls it, and it calls nobody but DNS and what the spec declares. */
export function networkPolicy(spec: ServerSpec, conventions: Conventions): KubernetesObject {
  const named = Array.isArray(spec.egress) ? spec.egress.filter((rule) => rule.for !== undefined) : [];
  const reasons = named.map((rule) => `${rule.cidr} ${rule.for}`).join('; ');
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadataOf(
      spec,
      conventions,
      reasons === '' ? {} : { annotations: { [annotation.egress]: reasons } },
    ),
    spec: {
      podSelector: { matchLabels: selectorOf(spec, conventions) },
      policyTypes: ['Ingress', 'Egress'],
      ingress: ingressRules(spec, conventions),
      egress: egressRules(spec, conventions),
    },
  };
}

/**
 * What comes through a NodePort has the address of a node, or of whatever the network puts in its place: a rule by source
 * would shut it out on one network and mean nothing on another. So the port is open to every source there, as it is on
 * every node anyway.
 */
function ingressRules(spec: ServerSpec, conventions: Conventions): readonly object[] {
  const { port } = namesOf(spec, conventions);
  const from = [
    namespaceNamed(conventions.gateway.namespace),
    ...(spec.expose.ingress === undefined ? [] : [namespaceNamed(conventions.ingress.namespace)]),
  ];
  const calls = spec.expose.nodePort === undefined ? { from, ports: [tcp(port)] } : { ports: [tcp(port)] };
  if (spec.metricsPort === undefined) return [calls];
  return [
    calls,
    { from: [namespaceNamed(conventions.monitoring.namespace)], ports: [tcp(spec.metricsPort)] },
  ];
}

function egressRules(spec: ServerSpec, conventions: Conventions): readonly object[] {
  if (spec.egress === 'any') return [{}];
  const dns = {
    to: [namespaceNamed('kube-system'), { ipBlock: { cidr: nodeLocalDns } }],
    ports: [{ port: 53, protocol: 'UDP' }, tcp(53)],
  };
  const declared = (spec.egress ?? []).map(({ cidr, ports }) => ({
    to: [{ ipBlock: { cidr } }],
    ...(ports !== undefined && { ports: ports.map(tcp) }),
  }));
  return [dns, ...(spec.permissions === undefined ? [] : [apiServerRule(spec, conventions)]), ...declared];
}

/** Address of the DNS cache that many clusters run on every node, outside of every namespace. */
const nodeLocalDns = '169.254.20.10/32';

/** The API server is no pod: it is met at an address of the cluster's nodes, as far as the conventions know them. */
function apiServerRule(spec: ServerSpec, conventions: Conventions): object {
  const cidr = conventions.clusters[namesOf(spec, conventions).cluster]?.cidr;
  return { ...(cidr !== undefined && { to: [{ ipBlock: { cidr } }] }), ports: [tcp(443), tcp(6443)] };
}
