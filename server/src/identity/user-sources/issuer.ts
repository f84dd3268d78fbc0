import { importJWK } from 'jose';
import {
  allowInsecureRequests,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  Configuration,
  clockTolerance,
  customFetch,
  modifyAssertion,
  None,
  PrivateKeyJwt,
  type ServerMetadata,
} from 'openid-client';
import type { Egress } from '#egress';
import { type Clock, err, isDeeperThan, isMembers, ok, type Result } from '#foundation';
import { createKeySet, type KeySet } from '../assertions/key-set.ts';
import { isSafe } from './check-user-source.ts';
import type { SignInProblem, UserSource } from './contract.ts';
import { presetOf } from './presets.ts';
import { failureIn, problem, told } from './problems.ts';

export const skewSeconds = 60;
const maxAgeMs = 60 * 60_000;
/** For so long its last word holds while an issuer does not answer. */
const maxStaleMs = 24 * 60 * 60_000;
/** A discovery document is flat, but for what some add. */
const maxDepth = 16;
const demanded = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const;

/** What an issuer says of itself, and how to speak to it. */
export interface Discovered {
  readonly metadata: ServerMetadata;
  readonly keys: KeySet;
  /** One for each way that the issuer may take our word for who we are; the likeliest first. */
  readonly configurations: readonly Configuration[];
  /** The same ways, for requests of ours. */
  readonly auths: readonly ClientAuth[];
}

export interface Issuer {
  /** Of memory, where it is not old. While the issuer does not answer, its last word holds for a day. */
  discover(): Promise<Result<Discovered, SignInProblem>>;
  /** Asks it now. */
  rediscover(): Promise<Result<Discovered, SignInProblem>>;
}

export function createIssuer(
  source: UserSource,
  deps: { readonly egress: Egress; readonly clock: Clock; readonly fetcher: typeof fetch },
): Issuer {
  const { clock, fetcher } = deps;
  let known: Discovered | null = null;
  let seenAtMs = 0;
  let asking: Promise<Result<Discovered, SignInProblem>> | null = null;

  async function ask(): Promise<Result<Discovered, SignInProblem>> {
    const document = await fetchDocument(source, fetcher);
    if (!document.ok) return document;
    const metadata = document.value;
    const keys =
      known !== null && known.metadata.jwks_uri === metadata.jwks_uri
        ? known.keys
        : createKeySet(metadata.jwks_uri as string, source.origin, deps);
    const auths = await clientAuths(source, metadata);
    known = { metadata, keys, auths, configurations: configurationsOf(source, metadata, auths, fetcher) };
    seenAtMs = clock.now();
    return ok(known);
  }

  function askOnce(): Promise<Result<Discovered, SignInProblem>> {
    asking ??= ask().finally(() => {
      asking = null;
    });
    return asking;
  }

  return {
    rediscover: askOnce,
    async discover() {
      const ageMs = clock.now() - seenAtMs;
      if (known !== null && ageMs < maxAgeMs) return ok(known);
      const before = known;
      const found = await askOnce();
      const isGone = !found.ok && found.error.code === 'sign_in.source_unreachable';
      return isGone && before !== null && ageMs < maxStaleMs ? ok(before) : found;
    },
  };
}

async function fetchDocument(
  source: UserSource,
  fetcher: typeof fetch,
): Promise<Result<ServerMetadata, SignInProblem>> {
  const uri = `${source.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const wrong = (reason: string) =>
    err(problem(source, 'sign_in.source_misconfigured', `the discovery document at ${uri} ${reason}`));
  let response: Response;
  let document: unknown;
  try {
    response = await fetcher(uri, { headers: { accept: 'application/json' } });
    const text = await response.text();
    if (response.status >= 500)
      return err(
        problem(source, 'sign_in.source_unreachable', `${uri} answers with status ${response.status}`),
      );
    if (response.status !== 200)
      return wrong(`is not there: its address answers with status ${response.status}`);
    document = JSON.parse(text);
  } catch (error) {
    const failure = failureIn(error);
    if (failure === null) return wrong('is no JSON');
    return err(problem(source, 'sign_in.source_unreachable', failure.message));
  }
  if (!isMembers(document)) return wrong('is no JSON object');
  if (isDeeperThan(document, maxDepth)) return wrong('is nested too deep');
  const says = document.issuer;
  if (says !== source.issuer)
    return wrong(
      typeof says === 'string'
        ? `says that its issuer is "${told(says, [])}", and the user source says "${source.issuer}"; they must be the same, to the letter`
        : 'does not say its issuer',
    );
  for (const name of demanded) {
    const given = document[name];
    if (typeof given !== 'string' || !URL.canParse(given)) return wrong(`has no ${name}`);
    if (!isSafe(new URL(given))) return wrong(`has a ${name} that is not https`);
  }
  return ok(document as unknown as ServerMetadata);
}

function configurationsOf(
  source: UserSource,
  metadata: ServerMetadata,
  auths: readonly ClientAuth[],
  fetcher: typeof fetch,
): readonly Configuration[] {
  return auths.map((auth) => {
    const client = { [clockTolerance]: skewSeconds };
    const configuration = new Configuration(metadata, source.clientId, client, auth);
    configuration[customFetch] = (url, { body, ...init }) =>
      fetcher(url, body === undefined ? init : { ...init, body });
    if (source.issuer.startsWith('http:')) allowInsecureRequests(configuration);
    return configuration;
  });
}

async function clientAuths(
  { clientAuth, preset }: UserSource,
  metadata: ServerMetadata,
): Promise<readonly ClientAuth[]> {
  if (clientAuth.by === 'none') return [None()];
  if (clientAuth.by === 'private_key_jwt') return [await byKey(clientAuth.jwk)];
  const { secret } = clientAuth;
  const ways = {
    client_secret_basic: ClientSecretBasic(secret),
    client_secret_post: ClientSecretPost(secret),
  };
  // Where nothing is said, it is this one.
  const offered = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const liked = presetOf(preset).secretBy;
  const other = liked === 'client_secret_basic' ? 'client_secret_post' : 'client_secret_basic';
  const usable = [liked, other].filter((way) => offered.includes(way)) as (keyof typeof ways)[];
  return (usable.length === 0 ? [liked] : usable).map((way) => ways[way]);
}

const algorithmsOfCurve: Readonly<Record<string, string>> = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  Ed25519: 'EdDSA',
};

async function byKey(jwk: { readonly [field: string]: unknown }): Promise<ClientAuth> {
  const alg = typeof jwk.alg === 'string' ? jwk.alg : (algorithmsOfCurve[String(jwk.crv)] ?? 'RS256');
  const key = (await importJWK({ ...jwk } as never, alg)) as CryptoKeyOf;
  const kid = typeof jwk.kid === 'string' ? { kid: jwk.kid } : {};
  const thumbprint = jwk['x5t#S256'];
  return PrivateKeyJwt(
    { key, ...kid },
    {
      // Entra finds the certificate by it.
      [modifyAssertion]: (header: Record<string, unknown>) => {
        if (typeof thumbprint === 'string') header['x5t#S256'] = thumbprint;
      },
    },
  );
}
type CryptoKeyOf = Parameters<typeof PrivateKeyJwt>[0] extends infer Key
  ? Extract<Key, { type: string }>
  : never;
