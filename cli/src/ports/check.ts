import type { Project } from '../spec/load.ts';
import { isInRange, type PortRegistry, type PortUse } from './registry.ts';

/** What is wrong between the registry and those who use ports. */
export interface PortMistake {
  readonly rule:
    | 'nodeport-dup'
    | 'nodeport-range'
    | 'nodeport-band'
    | 'nodeport-unregistered'
    | 'nodeport-unused';
  readonly port: number;
  readonly message: string;
}

/** `manifests` are in git, `live` in a cluster: a port of the manifests and of the same server there is one, not two. */
export function checkPorts(
  { entries }: PortRegistry,
  manifests: readonly PortUse[],
  live: readonly PortUse[],
  project: Project,
): readonly PortMistake[] {
  const mistakes: PortMistake[] = [];
  const say = (rule: PortMistake['rule'], port: number, message: string) =>
    mistakes.push({ rule, port, message });
  const holders = new Map<number, Map<string, string>>();
  const holds = (port: number, name: string, by: string) => {
    const ofPort = holders.get(port) ?? new Map<string, string>();
    holders.set(port, ofPort.has(name) ? ofPort : ofPort.set(name, by));
  };
  for (const { port, name, owner } of entries) holds(port, name, `${name} (${owner}) of the registry`);
  for (const { port, name, by } of [...manifests, ...live.filter((use) => holders.has(use.port))])
    holds(port, name, by);
  for (const [port, ofPort] of holders) {
    if (ofPort.size > 1)
      say('nodeport-dup', port, `Port ${port} is claimed by ${[...ofPort.values()].join(' and by ')}.`);
  }
  for (const { port, name, by } of manifests) {
    if (!isInRange(port, project))
      say('nodeport-range', port, `Port ${port} of ${by} is in no range of the conventions.`);
    const entry = entries.find((one) => one.name === name);
    if (entry?.port === port) continue;
    say(
      'nodeport-unregistered',
      port,
      entry === undefined
        ? `Port ${port} of ${by} is not in the registry: sallyport deploy ports take ${name} --port ${port}.`
        : `${by} has port ${port}, and the registry ${entry.port}: make them the same.`,
    );
  }
  for (const { port, name } of entries) {
    if (manifests.some((use) => use.port === port && use.name === name)) continue;
    say('nodeport-unused', port, `No manifest of ${name} uses its port ${port}: release it, if nobody will.`);
  }
  return mistakes;
}
