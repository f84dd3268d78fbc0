import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  ClientError,
  type Configuration,
  calculatePKCECodeChallenge,
  fetchUserInfo,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  type TokenEndpointResponse,
} from 'openid-client';
import { type Clock, err, ok, type Result } from '#foundation';
import type { IssuerTokens } from '../sign-ins/contract.ts';
import type { SignedInUser, SignInAttempt, SignInProblem, UserSource, UserSources } from './contract.ts';
import { type Discovered, type Issuer, skewSeconds } from './issuer.ts';
import { issuerTokensIn } from './issuer-tokens.ts';
import { presetOf } from './presets.ts';
import { failureIn, problem, told } from './problems.ts';
import { type IssuerRefusal, refusedByIssuer } from './refused-by-issuer.ts';
import { type Claims, isWanting, joined, userOf } from './said-of-user.ts';
import { verified } from './signed-token.ts';

/** An ID token that comes with a code was made for it. */
const maxTokenAgeSeconds = 60 * 60;

export function createSignIn(
  issuerOf: (source: UserSource) => Issuer,
  clock: Clock,
): Pick<UserSources, 'begin' | 'finish'> {
  async function signedIn(
    source: UserSource,
    attempt: SignInAttempt,
    callback: URL,
  ): Promise<Result<SignedInUser & { readonly tokens: IssuerTokens }, SignInProblem>> {
    const found = await issuerOf(source).discover();
    if (!found.ok) return found;
    const granted = await grantOf(source, attempt, callback, found.value);
    if (!granted.ok) return granted;
    const { configuration, answer } = granted.value;
    const { id_token: idToken = '', access_token: accessToken } = answer;
    const token = await verified(idToken, found.value.keys, demands(source), 0);
    if (!token.ok) return err(tokenProblem(source, token.error));
    const claims = await completed(source, token.value, configuration, accessToken);
    if (!claims.ok) return claims;
    const user = userOf(source, claims.value);
    return user.ok ? ok({ ...user.value, tokens: issuerTokensIn(answer, clock.now()) }) : user;
  }

  function demands({ issuer, clientId }: UserSource) {
    return {
      issuer,
      audience: clientId,
      requiredClaims: ['sub', 'exp', 'iat', 'nonce'],
      maxTokenAge: maxTokenAgeSeconds,
      clockTolerance: skewSeconds,
      currentDate: new Date(clock.now()),
    };
  }

  return {
    async begin(source, { redirectUri, goOnAt, loginHint, asSomebodyElse }) {
      if (source.status !== 'active') return err(inactive(source));
      const found = await issuerOf(source).discover();
      if (!found.ok) return found;
      const codeVerifier = randomPKCECodeVerifier();
      const attempt: SignInAttempt = {
        sourceId: source.id,
        projectId: source.projectId,
        state: randomState(),
        nonce: randomNonce(),
        codeVerifier,
        goOnAt,
      };
      // Never `resource`: it is for our own tokens, and Entra refuses it (AADSTS9010010).
      const url = buildAuthorizationUrl(found.value.configurations[0] as Configuration, {
        redirect_uri: redirectUri,
        scope: source.scopes.join(' '),
        state: attempt.state,
        nonce: attempt.nonce,
        code_challenge: await calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        ...(loginHint === undefined ? {} : { login_hint: loginHint }),
        ...(asSomebodyElse === true ? { prompt: presetOf(source.preset).otherAccountBy } : {}),
        ...organizationHint(source),
      });
      return ok({ url: url.href, attempt });
    },

    async finish(source, attempt, callback) {
      if (source.status !== 'active') return err(inactive(source));
      if (attempt.sourceId !== source.id || attempt.projectId !== source.projectId)
        return err(problem(source, 'sign_in.answer_invalid', 'the sign-in was begun at another user source'));
      return signedIn(source, attempt, callback);
    },
  };
}

/** Spares people the choice of a private account; what is believed is checked when they come back. */
function organizationHint({ preset, allowedDomains }: UserSource): Record<string, string> {
  const { organizationClaim } = presetOf(preset);
  if (organizationClaim === null) return {};
  return { [organizationClaim]: allowedDomains.length === 1 ? (allowedDomains[0] as string) : '*' };
}

function inactive(source: UserSource): SignInProblem {
  return problem(source, 'sign_in.source_misconfigured', 'the user source is inactive');
}

interface Granted {
  readonly configuration: Configuration;
  readonly answer: TokenEndpointResponse;
}

/** Exchanges the code. Where the issuer does not know us by one way of telling the secret, by the other. */
async function grantOf(
  source: UserSource,
  attempt: SignInAttempt,
  callback: URL,
  { configurations }: Discovered,
): Promise<Result<Granted, SignInProblem>> {
  let refused: SignInProblem | null = null;
  for (const configuration of configurations) {
    try {
      const answer = await authorizationCodeGrant(configuration, callback, {
        pkceCodeVerifier: attempt.codeVerifier,
        expectedState: attempt.state,
        expectedNonce: attempt.nonce,
        idTokenExpected: true,
      });
      return ok({ configuration, answer });
    } catch (error) {
      const code = callback.searchParams.get('code') ?? '';
      const said = await refusedByIssuer(error);
      const secrets = [...secretsOf(source), code, attempt.codeVerifier];
      refused ??=
        said === null ? brokenProblem(source, error, secrets) : refusalProblem(source, said, secrets);
      if (said?.error !== 'invalid_client') break;
    }
  }
  return err(refused as SignInProblem);
}

async function completed(
  source: UserSource,
  idToken: Claims,
  configuration: Configuration,
  accessToken: string,
): Promise<Result<Claims, SignInProblem>> {
  const wanting = isWanting(source, idToken);
  const isThere = configuration.serverMetadata().userinfo_endpoint !== undefined;
  if (!isThere || (!wanting.required && !wanting.email)) return ok(idToken);
  try {
    const said = await fetchUserInfo(configuration, accessToken, idToken.sub as string);
    return ok(joined(idToken, said));
  } catch (error) {
    if (!wanting.required) return ok(idToken);
    const failure = failureIn(error);
    const reason = `userinfo, which has to say what the ID token does not, is not to be had: ${failure?.message ?? libraryWords(error)}`;
    const code = failure === null ? 'sign_in.answer_invalid' : 'sign_in.source_unreachable';
    return err(problem(source, code, told(reason, [accessToken])));
  }
}

function secretsOf({ clientAuth }: UserSource): string[] {
  return clientAuth.by === 'secret' ? [clientAuth.secret, encodeURIComponent(clientAuth.secret)] : [];
}

function tokenProblem(
  source: UserSource,
  { at, reason }: { at: 'token' | 'keys'; reason: string },
): SignInProblem {
  return at === 'keys'
    ? problem(source, 'sign_in.source_unreachable', reason)
    : problem(source, 'sign_in.answer_invalid', `the ID token is refused: ${reason}`);
}

const codesOfRefusal: Readonly<Record<string, SignInProblem['code']>> = {
  server_error: 'sign_in.source_unreachable',
  temporarily_unavailable: 'sign_in.source_unreachable',
  invalid_client: 'sign_in.source_misconfigured',
  invalid_request: 'sign_in.source_misconfigured',
  invalid_scope: 'sign_in.source_misconfigured',
  invalid_target: 'sign_in.source_misconfigured',
  unauthorized_client: 'sign_in.source_misconfigured',
  unsupported_response_type: 'sign_in.source_misconfigured',
  unsupported_grant_type: 'sign_in.source_misconfigured',
};

function refusalProblem(
  source: UserSource,
  { by, error, description }: IssuerRefusal,
  secrets: readonly string[],
): SignInProblem {
  const words = told(description, secrets);
  const reason = `${by} answers ${told(error, secrets)}${words === '' ? '' : `: ${words}`}${hintOn(error)}`;
  // Used, or too old: what is asked there was asked once before.
  const isOver = by === 'the token endpoint' && error === 'invalid_grant';
  const usual = Object.hasOwn(codesOfRefusal, error) ? codesOfRefusal[error] : undefined;
  return problem(source, isOver ? 'sign_in.expired' : (usual ?? 'sign_in.source_refused'), reason);
}

/** Why a code was not exchanged, where the issuer did not refuse to. */
function brokenProblem(source: UserSource, error: unknown, secrets: readonly string[]): SignInProblem {
  const failure = failureIn(error);
  if (failure !== null) return problem(source, 'sign_in.source_unreachable', failure.message);
  const words = libraryWords(error);
  if (/"state"/.test(words)) return problem(source, 'sign_in.expired', words);
  const status = statusIn(error);
  if (status !== null && status >= 500)
    return problem(source, 'sign_in.source_unreachable', `the token endpoint answers with status ${status}`);
  const reason = status === null ? words : `the token endpoint answers with status ${status}`;
  return problem(source, 'sign_in.answer_invalid', told(reason, secrets));
}

const hints: Readonly<Record<string, string>> = {
  invalid_client:
    '; compare client_id and client_secret with the application at the issuer: the secret may have expired, or be its id instead of its value',
  invalid_scope: '; take scopes that the issuer knows',
  invalid_grant: '; it may have been used before, or the redirect URI may be another',
};

function hintOn(error: string): string {
  return (Object.hasOwn(hints, error) && hints[error]) || '';
}

/** What the library says, and of what was compared: names and issuers, never a token. */
function libraryWords(error: unknown): string {
  if (!(error instanceof Error)) return 'something else went wrong';
  const inner = error instanceof ClientError && error.cause instanceof Error ? error.cause : error;
  const compared = inner.cause as { claim?: unknown; expected?: unknown; claims?: Claims } | undefined;
  const claim = compared?.claim;
  if ((claim === 'iss' || claim === 'aud') && compared?.claims !== undefined)
    return `the ID token is refused: its ${claim} is ${JSON.stringify(compared.claims[claim])}, expected ${JSON.stringify(compared.expected)}`;
  return inner.message;
}

function statusIn(error: unknown): number | null {
  const response = error instanceof Error ? (error.cause as { status?: unknown } | undefined) : undefined;
  return response instanceof Response ? response.status : null;
}
