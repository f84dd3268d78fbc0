import { Option } from 'commander';
import { byCluster, chosenByName, type WantedServer, wantedOf } from '../../cluster/chosen.ts';
import { connectCluster } from '../../cluster/connect.ts';
import { printStage } from '../../cluster/print-stage.ts';
import { type Way, ways } from '../../cluster/reach.ts';
import { toolStages, type Verified, verifyServer } from '../../cluster/verify.ts';
import { verifyTools } from '../../cluster/verify-tools.ts';
import { CommandError } from '../../command-error.ts';
import { shownUrl } from '../../output/shown-url.ts';
import { loadProject, type Project } from '../../spec/load.ts';
import type { AddCommand, Context, Outcome } from '../command.ts';
import { seconds } from '../whole-number.ts';
import { type ClusterOptions, clusterOptions } from './cluster-options.ts';

interface Options extends ClusterOptions {
  readonly via?: Way;
  readonly timeout: number;
  readonly url?: string;
}

/** `sallyport deploy verify`: from the manifest to the tool list, as clients get it. */
export const addVerify: AddCommand = (parent, act) => {
  const command = parent
    .command('verify')
    .argument('[servers...]', 'names of servers or server.yaml files; all of the repository unless given')
    .description('see that servers run and list their tools, through the way that clients take')
    .addOption(
      new Option('--via <way>', 'the way to the server; the one that clients take unless given').choices(
        ways,
      ),
    )
    .option('--timeout <seconds>', 'how long a rollout may take', seconds, 120)
    .option('--url <url>', 'of the MCP endpoint: asks only that, and no cluster');
  clusterOptions(command).action(act(verify));
};

async function verify(context: Context, given: readonly string[], options: Options): Promise<Outcome> {
  if (options.url !== undefined) return verifyUrl(context, given, options.url, options);
  const { io, printer } = context;
  const project = await loadProject(io, options);
  const { servers } = await wantedOf(context.io, await chosenByName(io, project, given), project);
  const results: ({ name: string } & Verified)[] = [];
  for (const [name, ones] of byCluster(servers)) {
    const cluster = await connectCluster(io, project, 'read', { ...options, cluster: name });
    try {
      for (const wanted of ones) {
        printer.line(printer.style('bold', `${wanted.server.spec.name} in ${name}`));
        const verified = await verifyServer({
          io,
          project,
          cluster,
          wanted,
          via: options.via,
          timeoutMs: options.timeout * 1000,
          onStage: (stage) => printStage(printer, stage),
        });
        results.push({ name: wanted.server.spec.name, ...verified });
      }
    } finally {
      await cluster.close();
    }
  }
  printer.value({ servers: results });
  return results.every(({ passed }) => passed) ? 'ok' : 'problems';
}

async function verifyUrl(
  { io, printer }: Context,
  given: readonly string[],
  url: string,
  options: Options,
): Promise<Outcome> {
  const address = URL.parse(url);
  if (
    address === null ||
    !/^https?:$/.test(address.protocol) ||
    address.username !== '' ||
    address.password !== ''
  ) {
    throw new CommandError('verify.url-invalid', `${shownUrl(url)} is no address of an MCP endpoint`, [
      'It is like http://host:8080/mcp, without user name and password.',
    ]);
  }
  if (given.length > 1) throw new CommandError('verify.url-of-one', 'one --url is of one server');
  const spec = given.length === 0 ? undefined : (await oneServer(io, given, options)).server.spec.verify;
  const report = await verifyTools(url, {
    fetch: io.fetch,
    expected: spec?.tools,
    call: spec?.call,
    timeoutMs: Math.min(options.timeout, 30) * 1000,
    signal: io.signal,
  });
  const { origin, pathname } = address;
  const stages = toolStages(report, `at ${origin}${pathname}`, spec?.tools);
  for (const stage of stages) printStage(printer, stage);
  const passed = stages.every(({ outcome }) => outcome !== 'failed');
  printer.value({ url, passed, stages, ...report });
  return passed ? 'ok' : 'problems';
}

async function oneServer(
  io: Context['io'],
  given: readonly string[],
  options: Options,
): Promise<WantedServer> {
  const project: Project = await loadProject(io, options);
  const { servers } = await wantedOf(io, await chosenByName(io, project, given), project);
  return servers[0] as WantedServer;
}
