import { CommandError } from '../command-error.ts';
import type { Io } from '../output/io.ts';
import { type Api, createApi } from './api.ts';
import { renewed } from './oauth.ts';
import { changeProfiles, type Profile, type Profiles, readProfiles, type Tokens } from './profiles.ts';
import { isSameServer, serverUrl } from './server-url.ts';

/** What every command that speaks to a Sallyport takes. */
export interface RemoteOptions {
  readonly profile?: string;
  readonly insecureHttp?: boolean;
  /** `<organization>/<project>`; the first one, or the key's, unless given. */
  readonly project?: string;
}

/** A running Sallyport, and who we are there. */
export interface Remote {
  readonly url: string;
  readonly api: Api;
  /** By an API key, or as a person who signed in. */
  readonly by: 'key' | 'sign-in';
  /** The header for `/mcp/<slug>`. */
  gatewayAuthorization(slug: string): Promise<string>;
}

/** Tokens are renewed this long before they end, so that none ends on its way. */
const marginMs = 30_000;

export function profileName(io: Pick<Io, 'env'>, { profile }: RemoteOptions): string {
  return profile ?? io.env.SALLYPORT_PROFILE ?? 'default';
}

/** The Sallyport of the environment (`SALLYPORT_URL`, `SALLYPORT_API_KEY`), or else of the profile. */
export async function openRemote(io: Io, options: RemoteOptions): Promise<Remote> {
  const name = profileName(io, options);
  const profile = (await readProfiles(io))[name];
  const { SALLYPORT_URL: urlGiven, SALLYPORT_API_KEY: keyGiven } = io.env;
  const given = urlGiven ?? profile?.url;
  if (given === undefined) {
    throw new CommandError('remote.not_signed_in', 'there is no Sallyport to speak to yet', [
      `Sign in: sallyport login <url>${name === 'default' ? '' : ` --profile ${name}`}; or set SALLYPORT_URL and SALLYPORT_API_KEY`,
    ]);
  }
  const insecure =
    options.insecureHttp === true || (urlGiven === undefined && profile?.insecure_http === true);
  const url = serverUrl(given, insecure);
  const own = profile !== undefined && isSameServer(profile.url, url) ? profile : undefined;
  const project = options.project ?? io.env.SALLYPORT_PROJECT ?? own?.project ?? null;
  const key = keyGiven ?? own?.key;
  if (key !== undefined) {
    const bearer = async () => `Bearer ${checkedKey(key)}`;
    const signedInFor = (slug: string) =>
      keyGiven === undefined && own?.sign_in?.tokens[`gateway:${slug}`] !== undefined;
    return {
      url,
      by: 'key',
      api: createApi(io, url, bearer, project),
      gatewayAuthorization: (slug) =>
        signedInFor(slug) ? bearerFor(io, name, url, `gateway:${slug}`) : bearer(),
    };
  }
  if (own?.sign_in === undefined) {
    throw new CommandError('remote.not_signed_in', `you are not signed in at ${url}`, [
      `Sign in: sallyport login ${url}; or set SALLYPORT_API_KEY`,
    ]);
  }
  return {
    url,
    by: 'sign-in',
    api: createApi(io, url, () => bearerFor(io, name, url, 'api'), project),
    gatewayAuthorization: (slug) => bearerFor(io, name, url, `gateway:${slug}`),
  };
}

/**
 * The Sallyport that conventions.yaml names, which came with a repository that anybody may have written: the key of the
 * environment goes there only where SALLYPORT_URL, or the profile, names the same server.
 */
export async function openRemoteOfRepository(io: Io, given: string): Promise<Remote> {
  const profile = (await readProfiles(io))[profileName(io, {})];
  const { SALLYPORT_URL: named, SALLYPORT_API_KEY: key } = io.env;
  const url = serverUrl(given, profile?.insecure_http === true && profile.url === given.replace(/\/$/, ''));
  if (named !== undefined && !isSameServer(serverUrl(named, true), url)) {
    throw new CommandError(
      'remote.another_server',
      `SALLYPORT_URL is not ${url}, which conventions.yaml names`,
      ['One of them is wrong.'],
    );
  }
  if (
    key !== undefined &&
    named === undefined &&
    (profile === undefined || !isSameServer(profile.url, url))
  ) {
    throw new CommandError(
      'remote.key_not_meant',
      `SALLYPORT_API_KEY is not sent to ${url}: only conventions.yaml names that address, not you`,
      [`If the key is for it, say so: SALLYPORT_URL=${url}; or sign in there: sallyport login ${url}`],
    );
  }
  const insecureHttp = new URL(url).protocol === 'http:';
  return await openRemote({ ...io, env: { ...io.env, SALLYPORT_URL: url } }, { insecureHttp });
}

/** A header value that cannot hold anything else. */
export function checkedKey(key: string): string {
  const trimmed = key.trim();
  if (/^[\x21-\x7e]{8,4096}$/.test(trimmed)) return trimmed;
  throw new CommandError('remote.key_invalid', 'the API key must be one word, such as sp_…');
}

async function bearerFor(io: Io, name: string, url: string, purpose: string): Promise<string> {
  const kept = (await readProfiles(io))[name];
  const now = tokensIn(kept, url, purpose);
  if (isFresh(now, io)) return `Bearer ${now.access_token}`;
  // Only one process renews: a refresh token that is used twice ends the sign-in.
  const tokens = await changeProfiles(io, async (profiles) => {
    const profile = profiles[name];
    const found = tokensIn(profile, url, purpose);
    if (isFresh(found, io)) return { profiles, result: found };
    const fresh = await renew(io, profile as Profile, found);
    if (fresh === null) throw signInEnded(url, purpose);
    return { profiles: withTokens(profiles, name, purpose, fresh), result: fresh };
  });
  return `Bearer ${tokens.access_token}`;
}

function tokensIn(profile: Profile | undefined, url: string, purpose: string): Tokens {
  const own = profile !== undefined && isSameServer(profile.url, url);
  const found = own ? profile.sign_in?.tokens[purpose] : undefined;
  if (found !== undefined) return found;
  if (purpose === 'api') throw signInEnded(url, purpose);
  const slug = purpose.replace(/^gateway:/, '');
  throw new CommandError(
    'remote.gateway_sign_in_needed',
    `people sign in at each gateway by itself, and you have not at ${slug}`,
    [`Sign in for it: sallyport login --gateway ${slug}`],
  );
}

const isFresh = ({ expires_at_ms }: Tokens, { now }: Io): boolean => expires_at_ms - marginMs > now();

async function renew(io: Io, { sign_in }: Profile, { refresh_token }: Tokens): Promise<Tokens | null> {
  if (sign_in === undefined || refresh_token === undefined) return null;
  return await renewed(io, sign_in.token_endpoint, sign_in.client_id, refresh_token);
}

function withTokens(profiles: Profiles, name: string, purpose: string, tokens: Tokens): Profiles {
  const profile = profiles[name];
  if (profile?.sign_in === undefined) return profiles;
  const sign_in = { ...profile.sign_in, tokens: { ...profile.sign_in.tokens, [purpose]: tokens } };
  return { ...profiles, [name]: { ...profile, sign_in } };
}

function signInEnded(url: string, purpose: string): CommandError {
  const more = purpose === 'api' ? '' : ` --gateway ${purpose.replace(/^gateway:/, '')}`;
  return new CommandError('remote.sign_in_ended', `the sign-in at ${url} has ended`, [
    `Sign in again: sallyport login ${url}${more}`,
  ]);
}
