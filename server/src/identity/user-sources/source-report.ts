import { authorizationCodeGrant, type Configuration } from 'openid-client';
import { err, ok, type Result } from '#foundation';
import type { SourceReport, SourceStep, UserSource } from './contract.ts';
import type { Discovered, Issuer } from './issuer.ts';
import { failureIn, told } from './problems.ts';
import { refusedByIssuer } from './refused-by-issuer.ts';

type Outcome = Result<string | null, { readonly detail: string; readonly unreachable: boolean }>;

/** Walks what a sign-in needs of the issuer, as far as it goes without a person. */
export async function reportOn(
  source: UserSource,
  issuer: Issuer,
  redirectUri: string,
): Promise<SourceReport> {
  const steps: SourceStep[] = [];
  let failed: SourceStep | null = null;
  let unreachable = false;
  const note = (step: SourceStep['step'], outcome: Outcome): void => {
    const said: SourceStep = outcome.ok
      ? { step, ok: outcome.value === null ? true : null, detail: outcome.value ?? '' }
      : { step, ok: false, detail: outcome.error.detail };
    steps.push(said);
    if (outcome.ok || failed !== null) return;
    failed = said;
    unreachable = outcome.error.unreachable;
  };

  const found = await issuer.rediscover();
  if (!found.ok) {
    const isGone = found.error.code === 'sign_in.source_unreachable';
    note('discovery', err({ detail: found.error.reason, unreachable: isGone }));
    return { steps, failed, unreachable };
  }
  note('discovery', ok(null));
  note('scopes', scopesAt(source, found.value));
  note('keys', await keysAt(found.value));
  note('client_authentication', await clientAt(source, found.value, redirectUri));
  return { steps, failed, unreachable };
}

function scopesAt({ scopes }: UserSource, { metadata }: Discovered): Outcome {
  const offered = metadata.scopes_supported;
  if (offered === undefined) return ok('the issuer does not say which scopes it knows');
  const unknown = scopes.filter((scope) => !offered.includes(scope));
  if (unknown.length === 0) return ok(null);
  return err({
    detail: `the issuer does not know ${unknown.join(', ')}; it knows ${told(offered.join(', '), [])}`,
    unreachable: false,
  });
}

async function keysAt({ keys }: Discovered): Promise<Outcome> {
  const current = await keys.current();
  return current.ok ? ok(null) : err({ detail: current.error, unreachable: true });
}

/** Presents a code that nobody was given: an issuer that knows us refuses the code, another one us. */
async function clientAt(
  { clientAuth }: UserSource,
  { configurations }: Discovered,
  redirectUri: string,
): Promise<Outcome> {
  if (clientAuth.by === 'none') return ok('the client is public: there is nothing to authenticate with');
  const secrets = clientAuth.by === 'secret' ? [clientAuth.secret] : [];
  let outcome: Outcome = ok(null);
  for (const configuration of configurations) {
    outcome = await presented(configuration, redirectUri, secrets);
    if (outcome.ok || outcome.error.unreachable) return outcome;
  }
  return outcome;
}

async function presented(
  configuration: Configuration,
  redirectUri: string,
  secrets: readonly string[],
): Promise<Outcome> {
  const metadata = configuration.serverMetadata();
  const callback = new URL(redirectUri);
  callback.searchParams.set('code', 'a-code-that-nobody-was-given');
  callback.searchParams.set('state', 'none');
  callback.searchParams.set('iss', metadata.issuer);
  try {
    await authorizationCodeGrant(configuration, callback, {
      expectedState: 'none',
      pkceCodeVerifier: 'x'.repeat(43),
    });
    return ok('the token endpoint took a code that nobody was given');
  } catch (error) {
    const failure = failureIn(error);
    if (failure !== null) return err({ detail: failure.message, unreachable: true });
    const refused = await refusedByIssuer(error);
    if (refused === null) return ok('the token endpoint answers with something else');
    const words = told(refused.description, secrets);
    const said = `the token endpoint answers ${told(refused.error, secrets)}${words === '' ? '' : `: ${words}`}`;
    if (refused.error === 'invalid_client' || refused.error === 'unauthorized_client')
      return err({
        detail: `${said}; compare client_id and client_secret with the application at the issuer`,
        unreachable: false,
      });
    return refused.error === 'invalid_grant' ? ok(null) : ok(`${said}; so it cannot be told`);
  }
}
