import { CommandError } from '../../command-error.ts';
import { kmcpServer } from '../../exporting/kmcp.ts';
import { toolhiveServer } from '../../exporting/toolhive.ts';
import type { KubernetesObject } from '../../manifests/object.ts';
import { printManifests } from '../../manifests/print.ts';
import { chosenServers } from '../../spec/find.ts';
import { loadProject } from '../../spec/load.ts';
import type { AddCommand, Context, Outcome } from '../command.ts';

interface Options {
  readonly toolhive?: true;
  readonly kmcp?: true;
  readonly all?: true;
  readonly conventions?: string;
}

/** `sallyport deploy export`: server.yaml → objects of an operator, on stdout. */
export const addExport: AddCommand = (parent, act) => {
  parent
    .command('export')
    .argument('[servers...]', 'names of servers or server.yaml files; the one in this folder unless given')
    .description(
      'print servers as MCPServer objects of an operator; what it has no word for is told on stderr',
    )
    .option('--toolhive', "of ToolHive's operator (toolhive.stacklok.dev/v1beta1)")
    .option('--kmcp', 'of kmcp (kagent.dev/v1alpha1)')
    .option('--all', 'every server.yaml and *.server.yaml of the repository')
    .option('--conventions <file>', 'conventions.yaml, found upwards from here unless given')
    .action(act(exportServers));
};

async function exportServers(
  { io, printer }: Context,
  given: readonly string[],
  options: Options,
): Promise<Outcome> {
  if ((options.toolhive === true) === (options.kmcp === true)) {
    throw new CommandError('export.format', 'say which objects: --toolhive or --kmcp');
  }
  const exportServer = options.kmcp === true ? kmcpServer : toolhiveServer;
  const project = await loadProject(io, options);
  const objects: KubernetesObject[] = [];
  const lost: string[] = [];
  for (const server of await chosenServers(io, project, given, options.all === true)) {
    const exported = exportServer(server, project);
    objects.push(...exported.objects);
    lost.push(...exported.lost.map((one) => `${server.spec.name}: ${one}`));
  }
  for (const one of lost) printer.progress(`not in there: ${one}`);
  printer.lines(printManifests(objects).trimEnd());
  printer.value({ objects, lost });
  return 'ok';
}
