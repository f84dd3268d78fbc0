import type { YamlPath } from '../../files/yaml-file.ts';
import { containersOf, type Resource, type Workload } from '../resource.ts';
import { at, type Rule, type Say } from '../rule.ts';
import { list, mapping, text } from '../values.ts';

export const ports: Rule = {
  id: 'ports',
  level: 'error',
  what: 'ports are 1 to 65535, named where there are several, and lead to a port of the container',
  why: 'The API server refuses ports out of range and unnamed ones beside others. It accepts a Service whose targetPort names nothing, and the Service then leads nowhere.',
  fixable: false,
  check: ({ ofKind, workloads, namespaceOf, podsSelectedBy }, say) => {
    for (const workload of workloads) checkContainers(workload, say);
    for (const service of ofKind('Service')) {
      const pods = podsSelectedBy(namespaceOf(service), mapping(service.get(['spec', 'selector'])));
      checkService(service, pods, say);
    }
  },
};

const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535;
const isNumber = (port: string): boolean => /^\d+$/.test(port);
const portName = /^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]([a-z0-9]|-(?!-|$))*$/;

/** Numbers of ports that no port can have. */
function checkNumbers(
  resource: Resource,
  path: YamlPath,
  fields: Readonly<Record<string, unknown>>,
  say: Say,
): void {
  for (const [field, port] of Object.entries(fields)) {
    if (typeof port !== 'number' || isPort(port) || (field === 'hostPort' && port === 0)) continue;
    say(at(resource, [...path, field]), `${field} ${port} must be 1 to 65535.`);
  }
}

function checkContainers(workload: Workload, say: Say): void {
  for (const { path, value } of containersOf(workload)) {
    const names = new Set<string>();
    for (const [index, given] of list(value.ports).entries()) {
      const { containerPort, hostPort, name } = mapping(given);
      const where = [...path, 'ports', index];
      checkNumbers(workload, where, { containerPort, hostPort }, say);
      if (typeof name !== 'string') continue;
      if (!portName.test(name)) {
        say(
          at(workload, [...where, 'name']),
          `${name} is no name of a port: at most 15 of a-z 0-9 -, with a letter.`,
        );
      }
      if (names.has(name)) {
        say(at(workload, [...where, 'name']), `Two ports are named ${name}: give each a name of its own.`);
      }
      names.add(name);
    }
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
      for (const handler of ['httpGet', 'tcpSocket', 'grpc']) {
        checkProbed(
          workload,
          [...path, probe, handler],
          mapping(mapping(value[probe])[handler]).port,
          names,
          say,
        );
      }
    }
  }
}

function checkProbed(
  workload: Workload,
  path: YamlPath,
  port: unknown,
  names: ReadonlySet<string>,
  say: Say,
): void {
  checkNumbers(workload, path, { port }, say);
  if (typeof port !== 'string' || names.has(port)) return;
  const message = isNumber(port)
    ? `The port "${port}" must be a number, without quotes.`
    : `No port of the container is named ${port}.`;
  say(at(workload, [...path, 'port']), message);
}

function checkService(service: Resource, pods: readonly Workload[], say: Say): void {
  const given = list(service.get(['spec', 'ports']));
  const { type, clusterIP } = mapping(service.get(['spec']));
  if (
    given.length === 0 &&
    type !== 'ExternalName' &&
    clusterIP !== 'None' &&
    service.get(['spec']) !== undefined
  ) {
    say(at(service, ['spec', 'ports']), 'A Service needs at least one port.');
  }
  const seen = new Set<string>();
  for (const [index, one] of given.entries()) {
    const { port, targetPort, name, protocol, nodePort } = mapping(one);
    const path = ['spec', 'ports', index];
    checkNumbers(service, path, { port, targetPort, nodePort }, say);
    if (given.length > 1 && text(name) === undefined) {
      say(at(service, path), 'Every port needs a name where there are several.');
    }
    if (nodePort !== undefined && type !== 'NodePort' && type !== 'LoadBalancer') {
      say(at(service, [...path, 'nodePort']), 'A nodePort needs type: NodePort.');
    }
    const keys = [`port ${port} ${protocol ?? 'TCP'}`, ...(text(name) === undefined ? [] : [`name ${name}`])];
    for (const key of keys) {
      if (seen.has(key))
        say(at(service, path), `Two ports of the Service have the same ${key.split(' ')[0]}.`);
      seen.add(key);
    }
    checkTarget(service, index, pods, say);
  }
}

function checkTarget(service: Resource, index: number, pods: readonly Workload[], say: Say): void {
  const { port, targetPort = port } = mapping(service.get(['spec', 'ports', index]));
  const where = at(service, ['spec', 'ports', index, 'targetPort']);
  if (typeof targetPort === 'string' && isNumber(targetPort)) {
    say(where, `targetPort "${targetPort}" is the name of a port, not its number: write it without quotes.`);
    return;
  }
  const [pod] = pods;
  if (pod === undefined || (typeof targetPort === 'number' && !isPort(targetPort))) return;
  const open = containersOf(pod).flatMap(({ value }) => list(value.ports).map(mapping));
  if (open.length === 0 && typeof targetPort === 'number') return;
  if (open.some(({ name, containerPort }) => name === targetPort || containerPort === targetPort)) return;
  const there = open.map(({ name, containerPort }) => name ?? containerPort).join(', ') || 'none';
  say(where, `targetPort ${targetPort} is no port of the pods: they have ${there}.`);
}
