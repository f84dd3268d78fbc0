import type { Command } from 'commander';
import { CommandError } from '../../command-error.ts';
import { writeChanges } from '../../files/write-changes.ts';
import { counted } from '../../output/counted.ts';
import { checkPorts } from '../../ports/check.ts';
import { type PortUse, readRegistry, releasePort, takePort } from '../../ports/registry.ts';
import { portsOfManifests, portsOfServices } from '../../ports/used-ports.ts';
import { loadProject, type Project, shownPath } from '../../spec/load.ts';
import type { AddCommand, Context, Outcome } from '../command.ts';
import { wholeNumber } from '../whole-number.ts';

interface Options {
  readonly conventions?: string;
  readonly live?: true;
  readonly cluster?: string;
  readonly context?: string;
}

interface TakeOptions extends Options {
  readonly port?: number;
  readonly owner?: string;
  readonly dryRun?: true;
}

/** `sallyport deploy ports`: who has which NodePort. */
export const addPorts: AddCommand = (parent, act) => {
  const ports = parent.command('ports').description('NodePorts of MCP servers: the registry in git');
  const verb = (name: string, description: string) =>
    ports
      .command(name, { isDefault: name === 'list' })
      .description(description)
      .option('--conventions <file>', 'conventions.yaml, found upwards from here unless given');
  const looking = (command: Command) =>
    command
      .option('--live', 'look at the Services of the cluster, too')
      .option('--cluster <name>', 'cluster of the conventions; theirs unless given')
      .option('--context <name>', 'context of the kubeconfig');
  looking(verb('list', 'show who has which port')).action(act(list));
  looking(verb('take', 'give a server a port: the lowest that is free, unless one is asked for'))
    .argument('<name>', 'of the server')
    .option('--port <number>', 'this one', wholeNumber(1, 65_535))
    .option('--owner <owner>', 'who answers for the server')
    .option('--dry-run', 'show what would change, and write nothing')
    .action(act(take));
  verb('release', 'take the port of a server out of the registry')
    .argument('<name>', 'of the server')
    .option('--dry-run', 'show what would change, and write nothing')
    .action(act(release));
  looking(verb('check', 'compare the registry with manifests, and with the cluster')).action(act(check));
};

async function list({ io, printer }: Context, options: Options): Promise<Outcome> {
  const project = await loadProject(io, options);
  const { entries } = await readRegistry(project);
  const uses = [...(await portsOfManifests(project)), ...(await live(io, project, options))];
  const rows = [...entries]
    .sort((one, other) => one.port - other.port)
    .map((entry) => ({
      ...entry,
      usedBy: uses.filter(({ port }) => port === entry.port).map(({ by }) => by),
    }));
  if (rows.length === 0) printer.line('No port is given out yet.');
  else {
    printer.table(
      ['PORT', 'NAME', 'OWNER', 'SINCE', 'USED BY'],
      rows.map(({ port, name, owner, since, usedBy }) => [
        `${port}`,
        name,
        owner,
        since,
        usedBy.join(', ') || '-',
      ]),
    );
  }
  printer.value({ ports: rows });
  return 'ok';
}

async function take({ io, printer }: Context, name: string, options: TakeOptions): Promise<Outcome> {
  const project = await loadProject(io, options);
  const registry = await readRegistry(project);
  const used = [...(await portsOfManifests(project)), ...(await live(io, project, options))];
  const known = registry.entries.some((entry) => entry.name === name);
  if (options.owner === undefined && !known) {
    throw new CommandError('ports.no-owner', `--owner says who answers for ${name}.`);
  }
  const today = new Date(io.now()).toISOString().slice(0, 10);
  const { port, change } = takePort(registry, { owner: '', ...options, name }, { project, today, used });
  await writeChanges([change], { io, printer, dryRun: options.dryRun === true });
  printer.line(`${name} has port ${port}`);
  printer.value({ name, port });
  return 'ok';
}

async function release({ io, printer }: Context, name: string, options: TakeOptions): Promise<Outcome> {
  const { port, change } = releasePort(await readRegistry(await loadProject(io, options)), name);
  await writeChanges([change], { io, printer, dryRun: options.dryRun === true });
  printer.line(`port ${port} is free`);
  printer.value({ name, port });
  return 'ok';
}

async function check({ io, printer }: Context, options: Options): Promise<Outcome> {
  const project = await loadProject(io, options);
  const registry = await readRegistry(project);
  const manifests = await portsOfManifests(project);
  const problems = checkPorts(registry, manifests, await live(io, project, options), project);
  for (const { rule, message } of problems) printer.line(`${printer.style('red', rule)} ${message}`);
  const count = `${counted(registry.entries.length, 'port')} in ${shownPath(project, registry.path)}`;
  printer.line(
    problems.length === 0 ? `${count}, nothing wrong` : `${count}, ${counted(problems.length, 'problem')}`,
  );
  printer.value({ problems });
  return problems.some(({ rule }) => rule !== 'nodeport-unused') ? 'problems' : 'ok';
}

async function live(io: Context['io'], project: Project, options: Options): Promise<readonly PortUse[]> {
  if (options.live !== true && options.cluster === undefined) return [];
  const { connectCluster } = await import('../../cluster/connect.ts');
  const cluster = await connectCluster(io, project, 'read', options);
  try {
    const services = await cluster.list({ apiVersion: 'v1', kind: 'Service' });
    return portsOfServices(services, cluster.name, project.conventions.suffix);
  } finally {
    await cluster.close();
  }
}
