import { type FieldMistake, invalid, mistake } from './api-fault.ts';
import type { Json } from './json.ts';
import type { Kind } from './kinds.ts';

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Gives a Service its cluster IP and its node ports, or refuses those that it asks for. Ports nobody asked for are taken
 * from above the band that Kubernetes leaves for static choice.
 */
export function withAddresses(
  kind: Kind,
  given: Json,
  before: Json | null,
  services: readonly Json[],
  range: PortRange,
): Json {
  const object = structuredClone(given);
  const { spec } = object;
  const others = services.filter(
    ({ metadata }) =>
      metadata.name !== object.metadata.name || metadata.namespace !== object.metadata.namespace,
  );
  if (spec.clusterIP === undefined) spec.clusterIP = before?.spec.clusterIP ?? freeAddress(others);
  spec.clusterIPs = [spec.clusterIP];
  if (spec.type !== 'NodePort' && spec.type !== 'LoadBalancer') {
    for (const port of spec.ports ?? []) delete port.nodePort;
    return object;
  }
  const taken = new Set<number>(
    others.flatMap((other) => (other.spec.ports ?? []).map(({ nodePort }: Json) => nodePort).filter(Boolean)),
  );
  const mistakes = (spec.ports as Json[]).flatMap((port, at) => portMistakes(port, at, taken, range));
  if (mistakes.length > 0) throw invalid(kind, object.metadata.name, mistakes);
  for (const port of spec.ports) {
    if (port.nodePort === undefined) {
      const had = before?.spec.ports?.find((old: Json) => old.port === port.port)?.nodePort;
      port.nodePort = had ?? freePort(taken, range);
    }
    taken.add(port.nodePort);
  }
  return object;
}

function portMistakes(
  { nodePort }: Json,
  at: number,
  taken: ReadonlySet<number>,
  range: PortRange,
): FieldMistake[] {
  const field = `spec.ports[${at}].nodePort`;
  if (nodePort === undefined) return [];
  if (nodePort < range.from || nodePort > range.to) {
    const valid = `The range of valid ports is ${range.from}-${range.to}`;
    return [mistake(field, nodePort, `provided port is not in the valid range. ${valid}`)];
  }
  return taken.has(nodePort) ? [mistake(field, nodePort, 'provided port is already allocated')] : [];
}

function freePort(taken: ReadonlySet<number>, { from, to }: PortRange): number {
  const size = to - from + 1;
  const band = Math.min(Math.max(16, Math.floor(size / 32)), 128);
  for (let at = 0; at < size; at += 1) {
    const port = from + ((band + at) % size);
    if (!taken.has(port)) return port;
  }
  throw new Error('every node port is taken');
}

function freeAddress(services: readonly Json[]): string {
  const taken = new Set(services.map(({ spec }) => spec.clusterIP));
  let last = 10;
  while (taken.has(`10.96.0.${last}`)) last += 1;
  return `10.96.0.${last}`;
}
