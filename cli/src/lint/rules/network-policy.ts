import { componentLabel, nameLabel } from '../../manifests/names.ts';
import { printYaml } from '../../manifests/print.ts';
import type { Repository } from '../repository.ts';
import { containersOf, type Workload } from '../resource.ts';
import { at, type Rule } from '../rule.ts';
import { list, mapping, selects, text } from '../values.ts';

export const networkpolicy: Rule = {
  id: 'networkpolicy',
  level: 'warning',
  what: 'a NetworkPolicy lets in only the gateway, and out only to DNS and what the server needs',
  why: 'Without one, every pod of the cluster can call the tools, and a server that was taken over can call everything. --fix adds who may call in; where a server calls out to, only its owner knows. A NetworkPolicy knows addresses, no host names.',
  fixable: true,
  check: (repository, say) => {
    for (const workload of repository.workloads) {
      if (workload.kind !== 'Deployment' && workload.kind !== 'StatefulSet') continue;
      const policies = repository.policiesOf(workload);
      const types = policies.flatMap(({ value }) => list(mapping(value.spec).policyTypes));
      if (policies.length === 0) {
        say(at(workload), `Everybody in the cluster may call ${workload.name}: add a NetworkPolicy.`, {
          fix: appended(workload, repository),
        });
      } else if (!types.includes('Egress')) {
        say(
          at(workload),
          `${workload.name} may call everything: add egress to its NetworkPolicy, DNS and the CIDRs that it needs.`,
        );
      }
    }
  },
};

/** A policy of its own at the end of the file. */
function appended(workload: Workload, repository: Repository) {
  const { project, yaml, namespaceOf, ofKind } = repository;
  const { conventions } = project;
  const { gateway, monitoring, ingress: edge } = conventions;
  const file = yaml.get(workload.file);
  const name = text(workload.podLabels[nameLabel]);
  const matchLabels = {
    ...(name !== undefined && { [nameLabel]: name }),
    [componentLabel]: conventions.component,
  };
  // Pods get these labels first, by another fix.
  const isLabelled = selects(matchLabels, workload.podLabels) && name !== undefined;
  if (file === undefined || workload.base.length > 0 || !isLabelled) return undefined;
  const from = (namespace: string) => [
    { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
  ];
  const ports = containersOf(workload).flatMap(({ value }) => list(value.ports).map(mapping));
  const open = (isMetrics: boolean) =>
    ports
      .filter(
        ({ name, containerPort }) => (name === 'metrics') === isMetrics && typeof containerPort === 'number',
      )
      .map(({ containerPort }) => ({ port: containerPort, protocol: 'TCP' }));
  const services = repository.servicesOf(workload);
  const isOnNodes = services.some(({ value }) => /NodePort|LoadBalancer/.test(`${mapping(value.spec).type}`));
  const isPublic = ofKind('Ingress').some((one) =>
    services.some(({ name }) => JSON.stringify(one.value).includes(`"${name}"`)),
  );
  const callers = [...from(gateway.namespace), ...(isPublic ? from(edge.namespace) : [])];
  const ingress = [
    { ...(!isOnNodes && { from: callers }), ...(open(false).length > 0 && { ports: open(false) }) },
    ...(open(true).length > 0 ? [{ from: from(monitoring.namespace), ports: open(true) }] : []),
  ];
  const policy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: {
      name: workload.name,
      namespace: namespaceOf(workload),
      labels: { ...mapping(workload.get(['metadata', 'labels'])), ...matchLabels },
    },
    spec: { podSelector: { matchLabels }, policyTypes: ['Ingress'], ingress },
  };
  const eol = file.text.includes('\r\n') ? '\r\n' : '\n';
  const { length } = file.text;
  const lineEnd = file.text.endsWith('\n') ? '' : eol;
  const last = file.documents.at(-1);
  const separator = last !== undefined && last.object === null ? '' : '---\n';
  const added = lineEnd + `${separator}${printYaml(policy)}`.replaceAll('\n', eol);
  return [{ start: length, end: length, text: added }];
}
