import { Option } from 'commander';
import { confirm } from '../../output/ask.ts';
import { change, configEntry, type Declaration } from '../../remote/declaration.ts';
import { findGateway } from '../../remote/find-gateway.ts';
import { addressRefused, create, listed, toolGlobs, update, workerOf } from '../../remote/register.ts';
import { openRemote } from '../../remote/remote.ts';
import type { AddCommand, Context, Outcome } from '../command.ts';
import { remoteOptions } from '../remote-options.ts';
import { printServer } from '../servers/words.ts';
import { wholeNumber } from '../whole-number.ts';
import { toGateways } from './gateways.ts';
import { entryOfMcpJson } from './mcp-json.ts';
import { takeOut } from './take-out.ts';
import { type RegisterOptions, wantedOf } from './wanted.ts';

/** `sallyport register [server]` */
export const addRegister: AddCommand = (program, act) => {
  const command = program
    .command('register')
    .argument('[server]', 'name of a server, or its server.yaml; the one in this folder unless given')
    .description('make a server a source of a Sallyport, and wait until its tools are listed')
    .option('--url <address>', 'where the Sallyport reaches it; by the conventions unless given')
    .option('--id <id>', 'of the source; the name of the server unless given')
    .addOption(new Option('--type <type>', 'MCP server, or Arcade worker').choices(['mcp', 'http']))
    .option('-g, --gateway <slug>', 'show its tools at this gateway; may be said more than once', collected)
    .option('--secret-env <variable>', 'the variable with its bearer token, or the secret of a worker')
    .option('--wait <seconds>', 'how long to wait for its tools', wholeNumber(0, 86_400), 60)
    .option('--conventions <file>', 'conventions.yaml, found upwards from here unless given')
    .option('--no-mcp-json', 'leave .mcp.json as it is')
    .option('--remove', 'take it out again')
    .option('-y, --yes', 'do not ask');
  remoteOptions(command).action(act(register));
};

async function register(
  context: Context,
  server: string | undefined,
  options: RegisterOptions,
): Promise<Outcome> {
  const wanted = await wantedOf(context.io, server, options);
  if (options.remove === true) return await takeOut(context, wanted, options);
  const { io, printer } = context;
  const { declaration } = wanted;
  const { id } = declaration;
  const { api } = await openRemote(io, options);
  await Promise.all(wanted.gateways.map((slug) => findGateway(api, slug)));
  const found = await workerOf(api, id);
  const edit = found === null ? null : change(found, declaration);
  if (found === null || edit !== null) {
    const refused = await addressRefused(api, declaration);
    if (refused !== null) return toldHowToAllow(context, declaration, refused);
  }
  if (found === null) {
    await create(api, declaration);
    printer.line(`${id} is registered: ${declaration.uri}`);
  } else if (edit === null) printer.line(`${id} is registered already.`);
  else {
    for (const line of edit.words) printer.line(printer.style(line.startsWith('-') ? 'red' : 'green', line));
    await confirm(io, `Change ${id}?`, options.yes === true);
    await update(api, id, edit.body);
    printer.line(`${id} is changed.`);
  }

  const now = await listed(io, api, id, options.wait * 1000, printer.progress);
  printServer(now, printer);
  const well = now.status.state === 'healthy' && now.status.tool_count > 0;
  const globs = well ? await toolGlobs(api, id) : [];
  const gateways = well ? await toGateways(context, api, wanted.gateways, globs) : [];
  if (well && options.mcpJson) await entryOfMcpJson(context, wanted, gateways);
  printer.value({ source: now, tools: globs, gateways: gateways.map(({ slug, url }) => ({ slug, url })) });
  if (well) return 'ok';
  const advice = 'It stays registered, and is looked at again by itself';
  printer.line(`${advice}: sallyport servers refresh ${id} looks now.`);
  return 'problems';
}

/** An internal address that only the config file, or the egress policy, can allow. */
function toldHowToAllow({ printer }: Context, declaration: Declaration, refused: string): Outcome {
  const { id, uri } = declaration;
  const allow = `SALLYPORT_EGRESS_ALLOW=${new URL(uri).origin}`;
  printer.value({
    id,
    registered: false,
    failed_step: 'egress_allowed',
    message: refused,
    config: configEntry(declaration),
    allow,
  });
  printer.line(`${id} is not registered: ${refused}`);
  printer.line();
  printer.line('Either declare it in the config file of the Sallyport, sallyport.yaml:');
  printer.line();
  for (const line of configEntry(declaration)) printer.line(`  ${line}`);
  printer.line();
  printer.line('or allow the address in its environment, and register again:');
  printer.line();
  printer.line(`  ${allow}`);
  return 'problems';
}

function collected(slug: string, before: readonly string[] = []): readonly string[] {
  return [...before, slug];
}
