import { type CryptoKey, importJWK, type JWK, SignJWT } from 'jose';
import type { Gateway, Role } from '#domain';
import { type Clock, Fault, randomHex, systemClock } from '#foundation';
import type { AccessTokenClaims, Identity, Person, SignedInPerson, SignIn } from '#identity';

/** A person who signed in, as far as other rooms see it. */
export interface SignedIn {
  readonly person: Person;
  readonly signIn: SignIn;
  /** The browser's. */
  readonly cookie: string;
}

/** Somebody of the issuer of the user source `corp`, unless told otherwise. */
export function saidBy(more: Partial<SignedInPerson> = {}): SignedInPerson {
  return {
    organizationId: 'default',
    projectId: 'default',
    sourceId: 'corp',
    issuer: 'https://idp.example',
    subject: 'subject-of-ada',
    userId: 'ada',
    email: 'ada@example.com',
    name: 'Ada',
    groups: ['engineers'],
    claims: { department: 'engines', login: more.userId ?? 'ada' },
    ...more,
  };
}

/** The user source `corp` that `saidBy` speaks of; nobody is ever sent there. */
export async function keepCorpSource({ userSources }: Pick<Identity, 'userSources'>): Promise<void> {
  const kept = await userSources.create({
    id: 'corp',
    projectId: 'default',
    name: 'Corp',
    description: '',
    issuer: 'https://idp.example',
    preset: null,
    clientId: 'sallyport',
    clientAuth: { by: 'none' },
    scopes: ['openid'],
    userClaim: 'login',
    groupsClaim: 'groups',
    groupsRequired: false,
    allowedDomains: [],
    newPeople: null,
    assertionClients: [],
    status: 'active',
  });
  if (!kept.ok) throw new Fault(kept.error.message);
}

/** By a one-time link, which vouches for the e-mail address. */
export function saidByLink(email: string): SignedInPerson {
  const link = { projectId: '', sourceId: '', issuer: 'link', subject: email, userId: email, email };
  return saidBy({ ...link, name: '', groups: [], claims: {} });
}

/** Makes the person and the sign-in; `role`: what they are in the project `default` from now on. */
export async function signIn(
  { people, signIns }: Pick<Identity, 'people' | 'signIns'>,
  said: SignedInPerson = saidBy(),
  role: Role | null = null,
): Promise<SignedIn> {
  const person = await people.signedIn(said);
  if (!person.ok) throw new Fault(person.error.message);
  if (role !== null) {
    const place = { organizationId: said.organizationId, projectId: role === 'owner' ? '' : 'default' };
    const set = await people.setRole(person.value.id, place, role);
    if (!set.ok) throw new Fault(set.error.message);
  }
  return { person: person.value, ...(await signIns.start(person.value.id, said, 'a test')) };
}

export interface TokenOptions {
  /** Our own origin. */
  readonly issuer: string;
  readonly clock?: Clock;
  readonly clientId?: string;
  readonly scope?: string;
  /** Claims in the place of, or beside, those that are right. */
  readonly claims?: { readonly [name: string]: unknown };
  /** Of the token's head. */
  readonly header?: { readonly [name: string]: unknown };
}

/** An access token as the authorization server makes them, for a gateway; for the API with `null`. */
export function tokenFor(
  identity: Pick<Identity, 'signingKeys'>,
  who: SignedIn | { readonly serviceAccountId: string },
  gateway: Gateway | null,
  options: TokenOptions,
): Promise<string> {
  const own: AccessTokenClaims =
    'signIn' in who
      ? { sub: who.signIn.userId, sid: who.signIn.id, principal: who.person.id }
      : { sub: who.serviceAccountId, principal: who.serviceAccountId };
  const { issuer, clientId = 'https://client.example/metadata.json', scope = 'openid mcp' } = options;
  const audience = gateway === null ? `${issuer}/v1` : `${issuer}/mcp/${gateway.slug}`;
  return signed(identity, options, {
    ...own,
    aud: audience,
    client_id: clientId,
    scope,
    ...(gateway === null ? {} : { gateway: gateway.id }),
  });
}

async function signed(
  { signingKeys }: Pick<Identity, 'signingKeys'>,
  { issuer, clock = systemClock, claims, header }: TokenOptions,
  own: { readonly [name: string]: unknown },
): Promise<string> {
  const [key] = await signingKeys.ready();
  if (key === undefined) throw new Fault('there is no signing key');
  const nowS = Math.floor(clock.now() / 1000);
  const all = { iss: issuer, iat: nowS, exp: nowS + 3600, jti: randomHex(8), ...own, ...claims };
  const present = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(present)
    .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: key.kid, ...header })
    .sign((await importJWK(key.jwk as JWK, 'RS256')) as CryptoKey);
}
