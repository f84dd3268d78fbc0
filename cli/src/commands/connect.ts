import { homedir } from 'node:os';
import { Argument, Option } from 'commander';
import { type ClientName, clientNames, type HeaderValue, type Scope } from '../clients/client.ts';
import { checkReferences, clientChange, withoutSecrets } from '../clients/connect.ts';
import { knownClients } from '../clients/known-clients.ts';
import { CommandError } from '../command-error.ts';
import { readText } from '../files/read-text.ts';
import { askSecret } from '../output/ask.ts';
import type { Io } from '../output/io.ts';
import { writeConfirmed } from '../output/write-confirmed.ts';
import { gateway } from '../remote/answers.ts';
import { type GatewayAddress, gatewayAddress } from '../remote/gateway-address.ts';
import { checkedKey, openRemote, type RemoteOptions } from '../remote/remote.ts';
import type { AddCommand, Context, Outcome } from './command.ts';
import { remoteOptions } from './remote-options.ts';

interface Options extends RemoteOptions {
  readonly gateway?: string;
  readonly name?: string;
  readonly scope: Scope;
  readonly keyEnv?: string;
  readonly user?: string;
  readonly writeKey?: boolean;
  readonly remove?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** `sallyport connect <client>` */
export const addConnect: AddCommand = (program, act) => {
  const command = program
    .command('connect')
    .addArgument(new Argument('<client>', 'which client').choices(clientNames))
    .description("write a client's configuration for a gateway; the difference is shown first")
    .option('-g, --gateway <slug>', 'the gateway, or its whole address')
    .option('--name <name>', 'under which the client lists it (the slug)')
    .addOption(
      new Option('--scope <scope>', 'of this person, or of this project')
        .choices(['user', 'project'])
        .default('user'),
    )
    .option('--key-env <variable>', 'send the API key that this variable of the environment holds')
    .option('-u, --user <id>', 'for whom the key speaks')
    .option('--write-key', 'write an API key, typed unseen or piped in, into the file')
    .option('--remove', 'take it out again')
    .option('--dry-run', 'show the difference, and write nothing')
    .option('-y, --yes', 'do not ask');
  remoteOptions(command).action(act(connect));
};

async function connect({ io, printer }: Context, which: ClientName, options: Options): Promise<Outcome> {
  const client = knownClients[which];
  const { scope } = options;
  const home = io.env.HOME ?? io.env.USERPROFILE ?? homedir();
  const path = client.path(scope, { platform: process.platform, home, project: io.cwd, env: io.env });
  if (path === null) {
    throw new CommandError('connect.no_scope', `${client.title} has no file for a ${scope}`, [
      `Leave out --scope ${scope}.`,
    ]);
  }
  const before = await readText(path);
  const address = await gatewayAddress(io, options.gateway ?? (await refuseUnnamed(io, options)), options);
  const name = options.name ?? address.slug;
  const headers = options.remove === true ? {} : await headersOf({ io, printer }, options, address);
  const target = options.remove === true ? null : { url: address.url, headers };
  if (target !== null) checkReferences(client, target);

  const change = clientChange(client, { path, before }, name, target);
  const key = options.writeKey === true ? Object.values(headers) : [];
  const written = await writeConfirmed([change], {
    io,
    printer,
    dryRun: options.dryRun === true,
    yes: options.yes === true,
    redact: (text) => withoutSecrets(without(text, key)),
    ...(options.writeKey === true ? { newFileMode: 0o600, closed: true } : {}),
  });
  printer.value({ client: which, path, name, url: address.url, changed: written });
  if (options.dryRun === true) return 'ok';
  if (target === null) {
    printer.line(`${client.title} ${written ? 'no longer knows' : 'does not know'} ${name}.`);
    return 'ok';
  }
  const next = Object.keys(headers).length === 0 ? ` ${client.next.replaceAll('<name>', name)}` : '';
  printer.line(written ? `${client.title} knows ${name} now.${next}` : `${path} says so already.`);
  return 'ok';
}

async function refuseUnnamed(io: Io, options: Options): Promise<never> {
  const { api } = await openRemote(io, options);
  const { items } = await api.all('/gateways', gateway);
  throw new CommandError('connect.no_gateway', 'which gateway? --gateway <slug> says it', [
    items.length === 0 ? 'There are none yet.' : `There are: ${items.map(({ slug }) => slug).join(', ')}`,
  ]);
}

/** Signing in needs no header; a key does, and says for whom. */
async function headersOf(
  { io }: Context,
  { keyEnv, user, writeKey }: Options,
  { slug, needsKey }: GatewayAddress,
): Promise<Record<string, HeaderValue>> {
  if (keyEnv !== undefined && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(keyEnv)) {
    throw new CommandError('connect.variable_invalid', `"${keyEnv}" is no name of a variable`);
  }
  const asUser: Record<string, HeaderValue> = user === undefined ? {} : { 'Arcade-User-ID': user };
  if (writeKey === true) {
    const key = checkedKey(await askSecret(io, 'API key to write into the file: '));
    return { Authorization: `Bearer ${key}`, ...asUser };
  }
  if (keyEnv !== undefined) return { Authorization: { env: keyEnv, before: 'Bearer ' }, ...asUser };
  if (!needsKey) return {};
  throw new CommandError('connect.key_needed', `nobody signs in at ${slug}: it takes API keys only`, [
    '--key-env <variable> names the variable of the environment that holds one, and --user for whom it speaks.',
  ]);
}

function without(text: string, values: readonly HeaderValue[]): string {
  let result = text;
  for (const value of values) {
    if (typeof value === 'string' && value.startsWith('Bearer ')) {
      result = result.replaceAll(value.slice('Bearer '.length), '***');
    }
  }
  return result;
}
