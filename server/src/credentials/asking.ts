import {
  type Caller,
  type ConsentNeeded,
  type Credential,
  consentIdsOf,
  consentRequired,
  isConsentState,
  type Refusal,
  type Source,
} from '#domain';
import { type Clock, err, isMembers, type MaybePromise, ok, type Result } from '#foundation';
import type { Target, Wanted } from './authority.ts';
import { grantsAll, type User } from './connections/choice.ts';
import type { Connections } from './connections/connections.ts';
import { consentsTooOften } from './connections/keep.ts';
import type { Credentials } from './contract.ts';
import type { AtSources } from './exchange/at-sources.ts';
import type { Exchanging } from './exchange/exchanging.ts';
import type { Begun } from './flows/begin.ts';
import type { Flows } from './flows/flows.ts';
import type { Providers } from './providers/contract.ts';
import { declined, failed, noOAuth, noUser, providerRefused, stillRefused } from './refusals.ts';
import type { Connection } from './store/kept.ts';
import { mayWantOAuth } from './upstream/authority.ts';
import { wantedBy } from './upstream/discover.ts';

export interface AskingDeps {
  readonly connections: Connections;
  readonly flows: Flows;
  readonly providers: Pick<Providers, 'resolve'>;
  readonly clock: Clock;
  readonly issuer: () => string;
  readonly sourceOf: (projectId: string, id: string) => Source | null;
  readonly exchanging: Exchanging;
  readonly atSources: AtSources;
}

/** How long a client may be kept waiting for its user, who was just sent to the browser. */
const waitMs = 50_000;
const maxAtOnce = 10;
/** A token that is refused so soon after it was given is refused for another reason than its age. */
export const freshMs = 10_000;

/** What a source wants of a user, and where that is asked for. */
interface AtSource {
  readonly source: Source;
  readonly target: Target;
  readonly wanted: Wanted;
}

/** Finds out what to do where a source wants an authorization: send it again with another token, or ask the user. */
export function createAsking(deps: AskingDeps): Pick<Credentials, 'challenged' | 'resumed' | 'connectList'> {
  const { flows, issuer, sourceOf } = deps;
  return {
    async challenged(caller, at, challenge, sent) {
      const source = sourceOf(at.projectId, at.sourceId);
      const asked = wantedBy(challenge);
      if (source === null || (challenge.status === 403 && !asked.isInsufficient)) return null;
      const found = atSource(source, asked, deps);
      if (found === null || !found.ok) return found;
      const { target, wanted } = found.value;
      if (caller.userId === null) return err(noUser(source.id));
      const exchanged = await exchangedFor(caller, found.value, sent, deps);
      if (exchanged !== null) return exchanged;
      const user = { userId: caller.userId, personId: personOf(caller) };
      const connection = await deps.connections.latest(target, user);
      const another = await anotherToken(connection, found.value, sent, deps);
      if (!another.ok) return another;
      if (another.value !== null) return ok(another.value);
      const before = grantedBefore(connection);
      const begun = await flows.begin({ target, ...user, ...plain, wanted, before });
      if (!begun.ok) return begun;
      return begun.value === null ? null : err(consentRequired([consentOf(begun.value, issuer())]));
    },

    resumed(caller, at, resume, signal) {
      if (resume === null || !isConsentState(resume.state)) return null;
      const isDeclined = Object.values(resume.responses).some(
        (one) => isMembers(one) && one.action !== 'accept',
      );
      return wait(caller, at.projectId, { ids: consentIdsOf(resume.state), isDeclined, signal }, deps);
    },

    async connectList({ source, userId, personId, challenge }) {
      const asked = wantedBy(challenge ?? { status: 401, header: null });
      const found = atSource(source, asked, deps);
      if (found === null) return err(noOAuth(source.id));
      if (!found.ok) return found;
      const { target, wanted } = found.value;
      const known = await deps.connections.latest(target, { userId, personId });
      const isUseless =
        known?.status === 'active' && wanted.isInsufficient && grantsAll(known, wanted.scopes);
      if (isUseless) return err(stillRefused(source.id, covered));
      const before = grantedBefore(known);
      const asking = {
        target,
        userId,
        personId,
        ...plain,
        lists: { sourceId: source.id, uri: source.uri },
        wanted,
        before,
      };
      const begun = await flows.begin(asking);
      if (!begun.ok) return begun;
      return begun.value === null ? err(noOAuth(source.id)) : ok(consentOf(begun.value, issuer()));
    },
  };
}

const plain = { lists: null, account: null, nextUri: null } as const;
const covered = 'though the authorization covers every scope that it names';
const tooOften = 'though the user consented several times just now';

/** `null`: what it wants is no matter of OAuth. */
function atSource(
  source: Source,
  wanted: Wanted,
  { providers }: Pick<AskingDeps, 'providers'>,
): Result<AtSource, Refusal> | null {
  const { projectId, id, authProvider } = source;
  if (authProvider == null) {
    return mayWantOAuth(source) ? ok({ source, wanted, target: { projectId, kind: 'source', id } }) : null;
  }
  const provider = providers.resolve(projectId, {
    id: authProvider.id,
    providerId: null,
    scopes: authProvider.scopes,
  });
  if (!provider.ok) return provider;
  const scopes = [...new Set([...authProvider.scopes, ...(wanted.isInsufficient ? wanted.scopes : [])])];
  const target: Target = { projectId, kind: 'provider', id: provider.value.id };
  return ok({ source, target, wanted: { ...wanted, scopes, metadataUrl: null } });
}

/** By the user's own sign-in, where it is done so there; `null`: it is not. */
async function exchangedFor(
  caller: Caller,
  { source, target, wanted }: AtSource,
  sent: Credential | null,
  { exchanging, atSources, providers }: AskingDeps,
): Promise<Result<Credential, Refusal> | null> {
  const refused = sent?.authorization?.token ?? null;
  if (target.kind === 'source') {
    const given = await atSources.authorization({ caller, source, wanted, refused });
    return given === null || !given.ok ? given : ok({ authorization: given.value, secrets: [] });
  }
  const provider = providers.resolve(target.projectId, { id: target.id, providerId: null, scopes: [] });
  if (!provider.ok || provider.value.type !== 'token_exchange') return null;
  const { scopes } = wanted;
  const asked = { caller, provider: provider.value, scopes, resource: source.uri, refused };
  const given = await exchanging.authorization(asked);
  if (!given.ok) return given;
  const isSame = given.value.token === refused;
  return isSame
    ? err(providerRefused(source.id, target.id))
    : ok({ authorization: given.value, secrets: [] });
}

/** Another token than the one that was refused; `null`: the user has to be asked. */
async function anotherToken(
  connection: Connection | null,
  at: AtSource,
  sent: Credential | null,
  deps: AskingDeps,
): Promise<Result<Credential | null, Refusal>> {
  if (connection === null) return ok(null);
  const { source, wanted } = at;
  const another = await tokenInstead(connection, at, sent?.authorization?.token ?? null, deps);
  if (!another.ok || another.value !== null) return another;
  const asksInVain = consentsTooOften(connection.consentedAtMs, deps.clock);
  return asksInVain ? err(stillRefused(source.id, wanted.isInsufficient ? covered : tooOften)) : another;
}

async function tokenInstead(
  connection: Connection,
  { source, target, wanted }: AtSource,
  sentToken: string | null,
  { connections, clock }: AskingDeps,
): Promise<Result<Credential | null, Refusal>> {
  const now = await credentialBy(connections.authorizationOf(connection));
  // Somebody else got a new one meanwhile, or the user consented.
  if (!now.ok || now.value === null || now.value.authorization?.token !== sentToken) return now;
  if (wanted.isInsufficient) {
    return grantsAll(connection, wanted.scopes) ? err(stillRefused(source.id, covered)) : ok(null);
  }
  const isFresh = clock.now() - connection.changedAtMs < freshMs;
  // One server that refuses it says nothing of what else the provider's token is good for.
  if (target.kind === 'provider' && isFresh) return err(providerRefused(source.id, target.id));
  if (isFresh) return ok(await connections.refuse(connection, null));
  const renewed = await connections.renew(connection);
  if (!renewed.ok || renewed.value === null) return renewed as Result<null, Refusal>;
  return credentialBy(connections.authorizationOf(renewed.value));
}

async function credentialBy(
  given: MaybePromise<Result<NonNullable<Credential['authorization']> | null, Refusal>>,
): Promise<Result<Credential | null, Refusal>> {
  const authorization = await given;
  if (!authorization.ok || authorization.value === null) return authorization as Result<null, Refusal>;
  return ok({ authorization: authorization.value, secrets: [] });
}

/** For the end of the consents that a client was sent to; only of its own user. */
async function wait(
  caller: Caller,
  projectId: string,
  asked: {
    readonly ids: readonly string[];
    readonly isDeclined: boolean;
    readonly signal: AbortSignal | null;
  },
  { flows, issuer, clock }: AskingDeps,
): Promise<Result<void, Refusal>> {
  const untilMs = clock.now() + waitMs;
  const missing: ConsentNeeded[] = [];
  for (const id of asked.ids.slice(0, maxAtOnce)) {
    const known = await flows.find(id);
    const isTheirs = known?.target.projectId === projectId && known.userId === caller.userId;
    if (known === null || !isTheirs || known.personId !== personOf(caller)) continue;
    if (asked.isDeclined) return err(declined(known.target.id));
    const flow = await flows.wait(id, Math.max(0, untilMs - clock.now()), asked.signal);
    if (flow?.status === 'failed') return err(failed(flow));
    const begun = flow === null ? null : await flows.begunOf(flow);
    if (begun !== null) missing.push(consentOf(begun, issuer()));
  }
  const [first, ...more] = missing;
  return first === undefined ? ok(undefined) : err(consentRequired([first, ...more]));
}

export function consentOf({ flow, token }: Begun, issuer: string): ConsentNeeded {
  const { id, target, label, scopes } = flow;
  return { id, url: `${issuer}/connect/${token}`, providerId: target.id, label, scopes };
}

/** What is asked for again, or it would be lost. Servers often do not say all that they granted. */
export function grantedBefore(connection: Connection | null): readonly string[] {
  if (connection === null) return [];
  return connection.target.kind === 'source' ? connection.askedScopes : connection.grantedScopes;
}

/** A person is to be signed in at the browser; where an API key vouches for the user, it vouches for the address, too. */
export function personOf({ principal }: Caller): string | null {
  return principal.kind === 'person' ? principal.id : null;
}

export function userOf(caller: Caller): User | null {
  return caller.userId === null ? null : { userId: caller.userId, personId: personOf(caller) };
}
