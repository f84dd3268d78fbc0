import { decodeJwt } from 'jose';
import { type Configuration, refreshTokenGrant, type TokenEndpointResponse } from 'openid-client';
import { type Clock, err, isMembers, ok, type Result } from '#foundation';
import type { IssuerToken, IssuerTokens, NoSubjectToken } from '../sign-ins/contract.ts';
import type { UserSource, UserSources } from './contract.ts';
import { type Issuer, skewSeconds } from './issuer.ts';
import { failureIn } from './problems.ts';
import { refusedByIssuer } from './refused-by-issuer.ts';
import { verified } from './signed-token.ts';

/** Of an access token whose issuer does not say how long it lasts. */
const assumedLifeMs = 5 * 60_000;
const longestLifeMs = 24 * 60 * 60_000;

/** The tokens in an answer to a code or a refresh token; the ID token was checked. */
export function issuerTokensIn(answer: TokenEndpointResponse, nowMs: number): IssuerTokens {
  const { id_token, access_token, refresh_token, expires_in } = answer;
  const lifeMs = typeof expires_in === 'number' && expires_in > 0 ? expires_in * 1000 : assumedLifeMs;
  return {
    idToken: id_token === undefined ? null : idTokenOf(id_token),
    accessToken: { token: access_token, expiresAtMs: nowMs + Math.min(lifeMs, longestLifeMs) },
    refreshToken: refresh_token ?? null,
  };
}

function idTokenOf(token: string): IssuerToken | null {
  const { exp } = decodeJwt(token);
  return exp === undefined ? null : { token, expiresAtMs: exp * 1000 };
}

export interface IssuerTokensDeps {
  readonly issuerOf: (source: UserSource) => Issuer;
  readonly fetcherOf: (source: UserSource) => typeof fetch;
  readonly clock: Clock;
}

/** What issuers give once somebody has signed in. */
export function createIssuerTokens({
  issuerOf,
  fetcherOf,
  clock,
}: IssuerTokensDeps): Pick<UserSources, 'renewTokens' | 'identityAssertion'> {
  return {
    async renewTokens(source, refreshToken, subject) {
      const found = await issuerOf(source).discover();
      if (!found.ok) return err(undiscovered(source));
      const answer = await refreshed(source, found.value.configurations, refreshToken);
      if (!answer.ok) return answer;
      const { id_token: idToken } = answer.value;
      if (idToken !== undefined) {
        const demands = {
          issuer: source.issuer,
          audience: source.clientId,
          subject,
          requiredClaims: ['sub', 'exp', 'iat'],
          clockTolerance: skewSeconds,
          currentDate: new Date(clock.now()),
        };
        const checked = await verified(idToken, found.value.keys, demands, 0);
        if (!checked.ok && checked.error.at === 'keys') return err(undiscovered(source));
        // Somebody else's, or nobody's: what came with it is worth as little.
        if (!checked.ok)
          return err({ kind: 'sign_in', words: `${source.name} renewed it for nobody we know` });
      }
      return ok(issuerTokensIn(answer.value, clock.now()));
    },

    async identityAssertion(source, asked) {
      const found = await issuerOf(source).discover();
      if (!found.ok) return err(undiscovered(source));
      const { metadata, auths } = found.value;
      const own = metadata.token_endpoint as string;
      const endpoint = asked.endpoint ?? own;
      // Who we are to the issuer is told to nobody else.
      if (new URL(endpoint).origin !== new URL(own).origin) return err(otherPlace(source));
      let refused: NoSubjectToken | null = null;
      for (const auth of auths) {
        const body = new URLSearchParams(paramsOf(asked));
        const headers = new Headers({ accept: 'application/json' });
        await auth(metadata, { client_id: source.clientId }, body, headers);
        const answer = await assertionFrom(source, fetcherOf(source), { endpoint, body, headers });
        if (answer.ok) return answer;
        refused ??= answer.error.problem;
        if (answer.error.code !== 'invalid_client') break;
      }
      return err(refused ?? undiscovered(source));
    },
  };
}

/** Where the issuer does not know us by one way of telling the secret, by the other. */
async function refreshed(
  source: UserSource,
  configurations: readonly Configuration[],
  refreshToken: string,
): Promise<Result<TokenEndpointResponse, NoSubjectToken>> {
  let problem: NoSubjectToken | null = null;
  for (const configuration of configurations) {
    try {
      return ok(await refreshTokenGrant(configuration, refreshToken));
    } catch (error) {
      const said = await refusedByIssuer(error);
      problem ??= said === null ? brokenProblem(source, error) : refusedProblem(source, said.error);
      if (said?.error !== 'invalid_client') break;
    }
  }
  return err(problem ?? undiscovered(source));
}

function brokenProblem(source: UserSource, error: unknown): NoSubjectToken {
  const status = error instanceof Error && error.cause instanceof Response ? error.cause.status : null;
  if (failureIn(error) !== null || (status !== null && status >= 500)) return undiscovered(source);
  return { kind: 'broken', words: `${source.name} answered in a way that makes no sense` };
}

/** Codes that the user can mend by signing in again. */
const ofTheUser = ['invalid_grant', 'interaction_required', 'login_required', 'consent_required'];
const passing = ['server_error', 'temporarily_unavailable', 'too_many_requests', 'slow_down'];

function refusedProblem({ name, id }: UserSource, code: string): NoSubjectToken {
  const shown = /^[a-z_]{1,40}$/.test(code) ? ` (${code})` : '';
  if (ofTheUser.includes(code))
    return { kind: 'sign_in', words: `${name} wants the user to sign in again${shown}` };
  if (passing.includes(code)) return { kind: 'passing', words: `${name} failed, or is busy${shown}` };
  if (code === 'invalid_client') {
    return { kind: 'client', words: `${name} does not accept the client of the user source ${id}${shown}` };
  }
  return { kind: 'broken', words: `${name} refused${shown}` };
}

function undiscovered({ name }: UserSource): NoSubjectToken {
  return { kind: 'passing', words: `${name} does not answer right now` };
}

function otherPlace({ name }: UserSource): NoSubjectToken {
  return { kind: 'broken', words: `assertion_endpoint is not at the address of ${name}` };
}

type AssertionAsked = Parameters<UserSources['identityAssertion']>[1];

/** RFC 8693, for an identity assertion. */
function paramsOf({ subject, audience, resource, scopes }: AssertionAsked): Record<string, string> {
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    requested_token_type: idJag,
    subject_token: subject.token,
    subject_token_type: `urn:ietf:params:oauth:token-type:${subject.kind}`,
    audience,
    ...(resource === null ? {} : { resource }),
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
  };
}

const idJag = 'urn:ietf:params:oauth:token-type:id-jag';
const maxAssertionLength = 16 * 1024;

interface Refused {
  readonly problem: NoSubjectToken;
  readonly code: string | null;
}

async function assertionFrom(
  source: UserSource,
  fetcher: typeof fetch,
  {
    endpoint,
    ...init
  }: { readonly endpoint: string; readonly body: URLSearchParams; readonly headers: Headers },
): Promise<Result<string, Refused>> {
  const fail = (problem: NoSubjectToken, code: string | null = null) => err({ problem, code });
  let status: number;
  let body: unknown;
  try {
    const answer = await fetcher(endpoint, {
      method: 'POST',
      headers: init.headers,
      body: init.body.toString(),
    });
    status = answer.status;
    body = await answer.json().catch(() => null);
  } catch (error) {
    if (failureIn(error) === null) throw error;
    return fail(undiscovered(source));
  }
  const members = isMembers(body) ? body : {};
  if (status >= 500 || status === 429) return fail(undiscovered(source));
  if (status < 200 || status > 299) {
    const code = typeof members.error === 'string' ? members.error : status === 401 ? 'invalid_client' : '';
    return fail(refusedProblem(source, code), code);
  }
  const { access_token: token, issued_token_type: type } = members;
  const isOne =
    typeof token === 'string' && token.length <= maxAssertionLength && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);
  if (!isOne || (type !== undefined && type !== idJag)) {
    return fail({ kind: 'broken', words: `${source.name} answered without an identity assertion` });
  }
  return ok(token);
}
