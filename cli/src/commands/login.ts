import { CommandError } from '../command-error.ts';
import { askSecret } from '../output/ask.ts';
import { type DeviceCode, type SignInServer, signInByCode, signInServerOf } from '../remote/oauth.ts';
import { profilesFile, readProfiles } from '../remote/profiles.ts';
import { checkedKey, profileName, type RemoteOptions } from '../remote/remote.ts';
import { serverUrl } from '../remote/server-url.ts';
import { healthOf, type Kept, keepKey, keepTokens, projectOfKey, signInPerson } from '../remote/sign-in.ts';
import type { AddCommand, Context, Outcome } from './command.ts';
import { remoteOptions } from './remote-options.ts';

const defaultUrl = 'http://127.0.0.1:9099';

interface Options extends RemoteOptions {
  readonly withKey?: boolean;
  readonly gateway?: string;
}

/** `sallyport login [url]`: as a person, by a code that a browser confirms; or with an API key. */
export const addLogin: AddCommand = (program, act) => {
  const command = program
    .command('login')
    .argument('[url]', `address of the Sallyport (the last one, or ${defaultUrl})`)
    .description('sign in at a Sallyport')
    .option('--with-key', 'with an API key, typed unseen or piped in, rather than in a browser')
    .option('--gateway <slug>', 'for a gateway that people sign in at, beside the API');
  remoteOptions(command).action(act(login));
};

async function login(context: Context, given: string | undefined, options: Options): Promise<Outcome> {
  const { io, printer } = context;
  const name = profileName(io, options);
  const before = (await readProfiles(io))[name];
  const named = given ?? io.env.SALLYPORT_URL;
  const insecureHttp =
    options.insecureHttp === true || (named === undefined && before?.insecure_http === true);
  const url = serverUrl(named ?? before?.url ?? defaultUrl, insecureHttp);
  const unwell = await healthOf(io, url);
  if (unwell !== null) printer.progress(`${url} says that it is ${unwell}`);
  const server = options.withKey === true ? null : await signInServerOf(io, url);
  const kept = { url, insecureHttp, project: options.project };
  const where = profilesFile(io);

  if (options.gateway !== undefined) {
    if (server === null) throw new CommandError('remote.no_sign_in', `nobody signs in by a code at ${url}`);
    const tokens = await signInByCode(io, server, `${server.issuer}/mcp/${options.gateway}`, (code) =>
      show(context, code),
    );
    await keepTokens(io, name, kept, server, `gateway:${options.gateway}`, tokens);
    printer.line(`Signed in for the gateway ${options.gateway} of ${url}; kept in ${where}.`);
    printer.value({ url, profile: name, gateway: options.gateway });
    return 'ok';
  }
  if (server === null) return await withKey(context, name, kept, where);
  return await inBrowser(context, name, kept, server, where);
}

async function withKey({ io, printer }: Context, name: string, kept: Kept, where: string): Promise<Outcome> {
  const key = checkedKey(await askSecret(io, `API key for ${kept.url}: `));
  const project = await projectOfKey(io, kept.url, key);
  await keepKey(io, name, kept, key);
  const of = project === null ? '' : ` of the project ${project}`;
  printer.line(`Signed in at ${kept.url} with an API key${of}; kept in ${where}.`);
  printer.value({ url: kept.url, profile: name, project });
  return 'ok';
}

async function inBrowser(
  context: Context,
  name: string,
  kept: Kept,
  server: SignInServer,
  where: string,
): Promise<Outcome> {
  const { io, printer } = context;
  const { person, tokens } = await signInPerson(io, kept.url, server, (code) => {
    show(context, code);
    printer.progress('(With an API key instead: sallyport login --with-key)');
  });
  await keepTokens(io, name, kept, server, 'api', tokens);
  printer.line(`Signed in at ${kept.url} as ${person.email}; kept in ${where}.`);
  const [first, ...others] = person.projects;
  if (first === undefined) printer.line('You have no role in any project yet.');
  else if (others.length > 0 && kept.project === undefined) {
    printer.line(`Commands act in ${first}; --project says another one: ${others.join(', ')}.`);
  }
  printer.value({ url: kept.url, profile: name, ...person });
  return 'ok';
}

function show({ printer }: Context, { link, page, userCode }: DeviceCode): void {
  printer.progress(`Open ${link}`);
  printer.progress(
    `and see that it shows the code ${userCode}${link === page ? ', or enter it there' : ''}.`,
  );
}
