import type { Gateway } from '#domain';
import { type Clock, canonicalJson, err, ok, type Result } from '#foundation';
import type { Identity, SignedInPerson, SignedInUser, SignIn, UserSource } from '#identity';
import { unbelievedClaims } from './claimed-client.ts';
import type { UsedOnce } from './used-once.ts';

const maxLength = 16 * 1024;
const lifeMs = 60 * 60_000;
/** A sign-in that ends sooner is not worth another token. */
const worthMs = 5 * 60_000;

export interface AssertionDeps {
  readonly identity: Pick<Identity, 'people' | 'userSources' | 'signIns' | 'accessTokens'>;
  /** The gateway, which takes sign-ins, that a resource indicator names. */
  readonly gatewayAt: (resource: string) => Gateway | null;
  /** Whether the client may have tokens for the gateway at all. */
  readonly mayAsk: (clientId: string, gateway: Gateway) => boolean;
  readonly issuer: () => string;
  readonly clock: Clock;
  readonly usedOnce: UsedOnce;
}

/** What a client, which has authenticated, brings. */
export interface BroughtAssertion {
  readonly assertion: string;
  readonly clientId: string;
  /** As the request says it; `undefined`: the assertion says it alone. */
  readonly resource: string | undefined;
  readonly scope: string | undefined;
}

export interface Redeemed {
  readonly resource: string;
  readonly signIn: SignIn;
  readonly scope: string;
  readonly expiresInS: number;
}

/**
 * Signs a person in by an identity assertion (ID-JAG) that the company's issuer gave a client for one gateway. The reason where
 * it does not hold; the client is told nothing of it, so that no gateway can be told from one that does not exist.
 */
export async function redeemAssertion(
  brought: BroughtAssertion,
  deps: AssertionDeps,
): Promise<Result<Redeemed, string>> {
  const named = placeNamedBy(brought, deps);
  if (!named.ok) return named;
  const { gateway, resource, sources } = named.value;
  const checked = await checkBy(sources, brought, deps);
  if (!checked.ok) return checked;
  const { jti, expiresAtMs, ...said } = checked.value;
  if (said.resource !== resource) return err('the assertion is for another resource');
  const scope = scopesOf(brought.scope, said.scope, gateway);
  if (scope === '') return err('the assertion is for no scope of this gateway that was asked for');
  // However late it says that it expires: an assertion that is older than an hour is refused anyway.
  const rememberedUntilMs = Math.min(expiresAtMs, deps.clock.now() + 2 * lifeMs);
  if (!(await deps.usedOnce(['identity assertion', said.issuer, jti], rememberedUntilMs)))
    return err('an assertion can be used once');
  const signIn = await signInOf(said, gateway, brought.clientId, deps);
  if (!signIn.ok) return signIn;
  const leftMs = Date.parse(signIn.value.expiresAt) - deps.clock.now();
  return ok({ resource, signIn: signIn.value, scope, expiresInS: Math.floor(leftMs / 1000) });
}

/** Nothing of this is believed yet: it only says whose keys to check it with. */
function placeNamedBy({ assertion, clientId, resource: asked }: BroughtAssertion, deps: AssertionDeps) {
  if (assertion.length > maxLength) return err(`the assertion is longer than ${maxLength} characters`);
  const { iss, resource } = unbelievedClaims(assertion);
  if (typeof resource !== 'string') return err('the assertion names no resource');
  const gateway = deps.gatewayAt(resource);
  if (gateway === null) return err('the assertion names no gateway of ours');
  if (!deps.mayAsk(clientId, gateway)) return err('the client belongs to another project than the gateway');
  if (asked !== undefined && deps.gatewayAt(asked) !== gateway)
    return err('the assertion is for another resource than the request');
  const isOnGateway = ({ id }: UserSource) => Number(gateway.userSourceIds.includes(id));
  const sources = deps.identity.userSources
    .list(gateway.projectId)
    .filter(({ status, issuer }) => status === 'active' && issuer === iss)
    .filter(({ assertionClients }) => assertionClients.includes(clientId))
    .sort((a, b) => isOnGateway(b) - isOnGateway(a));
  if (sources.length === 0)
    return err('no user source of the project takes assertions of this issuer for this client');
  return ok({ gateway, resource, sources });
}

async function checkBy(
  sources: readonly UserSource[],
  { assertion, clientId }: BroughtAssertion,
  { identity, issuer }: AssertionDeps,
) {
  let problem = '';
  for (const source of sources) {
    const expect = { audience: issuer(), clientId };
    const checked = await identity.userSources.checkAssertion(source, assertion, expect);
    if (checked.ok) return checked;
    problem = checked.error;
  }
  return err(problem);
}

/** Those of the gateway that the issuer allows and the client wants; where the issuer names none, that of using it. */
function scopesOf(asked: string | undefined, allowed: string, gateway: Gateway): string {
  const known = ['mcp', ...gateway.toolScopes.map(({ scope }) => scope)];
  const given = allowed.trim() === '' ? ['mcp'] : allowed.split(' ');
  const wanted = asked === undefined || asked === '' ? given : asked.split(' ');
  return known.filter((scope) => given.includes(scope) && wanted.includes(scope)).join(' ');
}

async function signInOf(
  user: SignedInUser,
  gateway: Gateway,
  clientId: string,
  deps: AssertionDeps,
): Promise<Result<SignIn, string>> {
  const { people, signIns, accessTokens } = deps.identity;
  const { source, issuer, subject, userId, email, name, groups, claims } = user;
  const said: SignedInPerson = {
    organizationId: people.project(gateway.projectId)?.organizationId ?? '',
    projectId: source.projectId,
    sourceId: source.id,
    issuer,
    subject,
    userId,
    email,
    name,
    groups,
    claims,
  };
  const person = await people.signedIn(said);
  if (!person.ok) return err(person.error.reason ?? person.error.message);
  const by = `identity assertion to ${clientId}`.slice(0, 256);
  const lasting = (await signIns.list(person.value.id)).find((signIn) =>
    isSame(signIn, said, by, deps.clock),
  );
  const untilMs = deps.clock.now() + lifeMs;
  const signIn = lasting ?? (await signIns.start(person.value.id, said, by, { untilMs })).signIn;
  if (gateway.authTypes.includes('arcade')) await becomeMember(person.value.id, source, people);
  const admitted = accessTokens.admits(signIn, gateway);
  if (admitted.ok) return ok(signIn);
  if (lasting === undefined) await signIns.end(signIn.id);
  return err(admitted.error.reason ?? admitted.error.message);
}

/** Where nobody has to be invited. */
async function becomeMember(personId: string, source: UserSource, people: Identity['people']): Promise<void> {
  const { projectId, newPeople } = source;
  const organizationId = people.project(projectId)?.organizationId;
  if (newPeople === null || organizationId === undefined) return;
  if (people.standing(personId)?.roleIn(projectId) !== null) return;
  await people.setRole(personId, { organizationId, projectId }, newPeople);
}

/** A client that asks again and again makes no sign-in each time; other groups and claims make another one. */
function isSame(signIn: SignIn, said: SignedInPerson, by: string, clock: Clock): boolean {
  const about = ({ projectId, sourceId, issuer, subject, userId, groups, claims }: SignIn | SignedInPerson) =>
    canonicalJson([projectId, sourceId, issuer, subject, userId, groups, claims]);
  const lastsLong = Date.parse(signIn.expiresAt) >= clock.now() + worthMs;
  return signIn.userAgent === by && lastsLong && about(signIn) === about(said);
}
