import { entriesOf, isInRange } from '../../ports/registry.ts';
import type { Repository } from '../repository.ts';
import type { Resource } from '../resource.ts';
import { at, type Rule } from '../rule.ts';
import { list, mapping } from '../values.ts';

interface NodePort {
  readonly service: Resource;
  /** The server that it belongs to. */
  readonly name: string;
  readonly port: number;
  readonly path: readonly (string | number)[];
}

function nodePortsOf({ ofKind, project }: Repository): readonly NodePort[] {
  const { suffix } = project.conventions;
  return ofKind('Service').flatMap((service) => {
    const name = service.name.endsWith(suffix) ? service.name.slice(0, -suffix.length) : service.name;
    return list(service.get(['spec', 'ports'])).flatMap((one, index) => {
      const port = mapping(one).nodePort;
      return typeof port === 'number'
        ? [{ service, name, port, path: ['spec', 'ports', index, 'nodePort'] }]
        : [];
    });
  });
}

function registryOf({ files, yaml }: Repository) {
  const file = files.find(({ kind }) => kind === 'ports');
  return { file, ...entriesOf(file === undefined ? undefined : yaml.get(file.shown)?.documents[0]) };
}

export const nodeportDup: Rule = {
  id: 'nodeport-dup',
  level: 'error',
  what: 'nobody else has the NodePort of a Service',
  why: 'A NodePort is one for the whole cluster. The second Service that wants it is refused with "provided port is already allocated", and which one that is depends on who comes first.',
  fixable: false,
  check: (repository, say) => {
    const { entries, file } = registryOf(repository);
    const holders = new Map<number, { name: string; where: string }>();
    for (const { name, port, line, column } of entries) {
      const other = holders.get(port);
      if (other === undefined) holders.set(port, { name, where: `${name} (${file?.shown}:${line})` });
      else
        say(
          { file: file?.shown ?? '', line, column },
          `Port ${port} is ${other.name}'s already: give ${name} another with sallyport deploy ports.`,
        );
    }
    for (const { service, name, port, path } of nodePortsOf(repository)) {
      const other = holders.get(port);
      if (other === undefined)
        holders.set(port, { name, where: `${service.title} (${service.file}:${service.at(path).line})` });
      else if (other.name !== name)
        say(
          at(service, path),
          `Port ${port} belongs to ${other.where}: take another with sallyport deploy ports take ${name}.`,
        );
    }
  },
};

export const nodeportRange: Rule = {
  id: 'nodeport-range',
  level: 'error',
  what: 'NodePorts are in a range of the conventions',
  why: 'Outside of 30000 to 32767 the API server refuses a NodePort. Inside, firewalls let in only the ranges that were agreed on.',
  fixable: false,
  check: (repository, say) => {
    const { range, legacy } = repository.project.conventions.nodePorts;
    const ranges = [range, ...(legacy === null ? [] : [legacy])]
      .map(({ from, to }) => `${from} to ${to}`)
      .join(' or ');
    for (const { service, name, port, path } of nodePortsOf(repository)) {
      if (!isInRange(port, repository.project))
        say(
          at(service, path),
          `Port ${port} must be ${ranges}: take one with sallyport deploy ports take ${name}.`,
        );
    }
  },
};

/** Kubernetes leaves the ports below for those who choose themselves. */
const firstDynamic = 30_086;

export const nodeportBand: Rule = {
  id: 'nodeport-band',
  level: 'warning',
  what: 'new NodePorts are below 30086, where Kubernetes gives out none by itself',
  why: 'From 30086 on Kubernetes gives ports to any Service that asks for none in particular. A port from there, 311XX among them, can be taken by a stranger while the server is away.',
  fixable: false,
  check: (repository, say) => {
    for (const { service, port, path } of nodePortsOf(repository)) {
      if (port >= firstDynamic && port <= 32_767)
        say(
          at(service, path),
          `Kubernetes may give port ${port} to any other Service: move to 30000 to 30085 when you can.`,
        );
    }
  },
};

export const nodeportUnregistered: Rule = {
  id: 'nodeport-unregistered',
  level: 'warning',
  what: 'NodePorts are in the registry, under the name of their server',
  why: 'Who looks for a free port looks into the registry. A port that is not there will be taken a second time.',
  fixable: false,
  check: (repository, say) => {
    const { entries, mistakes, file } = registryOf(repository);
    for (const { line, column, message } of mistakes) {
      say({ file: file?.shown ?? '', line, column }, `The registry cannot be read here: ${message}.`, {
        level: 'error',
      });
    }
    for (const { service, name, port, path } of nodePortsOf(repository)) {
      if (entries.some((entry) => entry.port === port && entry.name === name)) continue;
      say(
        at(service, path),
        `Port ${port} is not in the registry: sallyport deploy ports take ${name} --port ${port}.`,
      );
    }
    for (const service of repository.ofKind('Service')) {
      if (service.get(['spec', 'type']) !== 'NodePort') continue;
      for (const [index, one] of list(service.get(['spec', 'ports'])).entries()) {
        if (mapping(one).nodePort !== undefined) continue;
        say(
          at(service, ['spec', 'ports', index]),
          'Without a nodePort, Kubernetes chooses another one every time: take one with sallyport deploy ports.',
        );
      }
    }
  },
};

export const nodeportOpen: Rule = {
  id: 'nodeport-open',
  level: 'warning',
  what: 'a server with a NodePort has a NetworkPolicy',
  why: 'Whoever reaches a node reaches the port, without a name and without a password. A NetworkPolicy, or a server that checks who calls, is all that stands between.',
  fixable: false,
  check: (repository, say) => {
    for (const workload of repository.workloads) {
      if (repository.policiesOf(workload).length > 0) continue;
      for (const service of repository.servicesOf(workload)) {
        if (service.get(['spec', 'type']) === 'NodePort')
          say(
            at(service, ['spec', 'type']),
            `Everybody who reaches a node may call ${service.name}: add a NetworkPolicy.`,
          );
      }
    }
  },
};
