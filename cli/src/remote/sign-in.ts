import { z } from 'zod';
import { CommandError } from '../command-error.ts';
import { parsedJson } from '../files/values.ts';
import type { Io } from '../output/io.ts';
import { status, whoami } from './answers.ts';
import { createApi } from './api.ts';
import { type DeviceCode, revoked, type SignInServer, signInByCode } from './oauth.ts';
import { changeProfiles, type Profile, type Tokens } from './profiles.ts';
import { checkedKey } from './remote.ts';
import { send } from './send.ts';
import { refusedBy, ServerRefusal } from './server-refusal.ts';
import { isSameServer } from './server-url.ts';

/** Signing in and out: what is kept afterwards was tried before. */

const health = z.object({ healthy: z.boolean(), reason: z.string().optional() });

/** Whether there is a Sallyport at all; why it is not well, or `null`. */
export async function healthOf(io: Io, url: string): Promise<string | null> {
  const incoming = await send(io, { method: 'GET', url: `${url}/v1/health`, timeoutMs: 15_000 });
  const told = health.safeParse(parsedJson(incoming.text));
  if (told.success) return told.data.healthy ? null : (told.data.reason ?? 'not ready');
  throw new CommandError('remote.not_sallyport', `${url} answers, and is no Sallyport`);
}

/** The project that a key is for, where it may know; a key that is not taken is refused. */
export async function projectOfKey(io: Io, url: string, key: string): Promise<string | null> {
  const api = createApi(io, url, async () => `Bearer ${checkedKey(key)}`);
  try {
    return (await api.ask('GET', '/status', { answer: status })).project_id;
  } catch (error) {
    // A key that is known, and may not look at this.
    if (error instanceof ServerRefusal && (error.status === 403 || error.status === 404)) return null;
    throw error;
  }
}

export interface Person {
  readonly email: string;
  readonly projects: readonly string[];
}

async function personOf(io: Io, url: string, accessToken: string): Promise<Person> {
  const incoming = await send(io, {
    method: 'GET',
    url: `${url}/api/v1/auth/whoami`,
    headers: { authorization: `Bearer ${accessToken}` },
    timeoutMs: 15_000,
  });
  const told = whoami.safeParse(parsedJson(incoming.text));
  if (!told.success) throw refusedBy(new URL(url).origin, incoming);
  const { email, projects } = told.data.data;
  return {
    email,
    projects: projects.map(({ organization_id, project_id }) => `${organization_id}/${project_id}`),
  };
}

export async function signInPerson(
  io: Io,
  url: string,
  server: SignInServer,
  show: (code: DeviceCode) => void,
): Promise<{ readonly person: Person; readonly tokens: Tokens }> {
  const tokens = await signInByCode(io, server, `${server.issuer}/v1`, show);
  return { person: await personOf(io, url, tokens.access_token), tokens };
}

/** Which server a profile is for, and what of its is meant. */
export interface Kept {
  readonly url: string;
  readonly insecureHttp: boolean;
  readonly project: string | undefined;
}

function profileFor({ url, insecureHttp, project }: Kept): Profile {
  return {
    url,
    ...(insecureHttp ? { insecure_http: true } : {}),
    ...(project === undefined ? {} : { project }),
  };
}

export async function keepKey(io: Io, name: string, kept: Kept, key: string): Promise<void> {
  const profile: Profile = { ...profileFor(kept), key };
  await changeProfiles(io, async (before) => ({
    profiles: { ...before, [name]: profile },
    result: undefined,
  }));
}

/** `purpose`: `api`, or `gateway:<slug>`, which is added to what the profile has at this server. */
export async function keepTokens(
  io: Io,
  name: string,
  kept: Kept,
  server: SignInServer,
  purpose: string,
  tokens: Tokens,
): Promise<void> {
  await changeProfiles(io, async (before) => {
    const found = before[name];
    const same = found !== undefined && isSameServer(found.url, kept.url) ? found : undefined;
    const key = purpose === 'api' ? undefined : same?.key;
    const profile: Profile = {
      ...profileFor(kept),
      ...(key === undefined ? {} : { key }),
      sign_in: {
        client_id: server.clientId,
        token_endpoint: server.tokenEndpoint,
        ...(server.revocationEndpoint === undefined
          ? {}
          : { revocation_endpoint: server.revocationEndpoint }),
        tokens: { ...same?.sign_in?.tokens, [purpose]: tokens },
      },
    };
    return { profiles: { ...before, [name]: profile }, result: undefined };
  });
}

export interface SignedOut {
  readonly url: string;
  readonly had: 'key' | 'sign-in';
  /** What the server could not be told; the tokens are forgotten all the same. */
  readonly untold: string | null;
}

/** Ends what can be ended there, and forgets everything here; `null`: there was nothing. */
export async function signOut(io: Io, name: string): Promise<SignedOut | null> {
  return await changeProfiles(io, async (before) => {
    const { [name]: profile, ...others } = before;
    if (profile === undefined) return { profiles: before, result: null };
    let untold: string | null = null;
    for (const { refresh_token, access_token } of Object.values(profile.sign_in?.tokens ?? {})) {
      const { revocation_endpoint, client_id } = profile.sign_in as NonNullable<Profile['sign_in']>;
      if (revocation_endpoint === undefined) continue;
      try {
        await revoked(io, revocation_endpoint, client_id, refresh_token ?? access_token);
      } catch (error) {
        untold = error instanceof Error ? error.message : String(error);
      }
    }
    const had = profile.key === undefined ? 'sign-in' : 'key';
    return { profiles: others, result: { url: profile.url, had, untold } };
  });
}
