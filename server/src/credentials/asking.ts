import {
  type Caller,
  type Credential,
  consentStateOf,
  isConsentState,
  type Refusal,
  refusal,
  type Source,
} from '#domain';
import { type Clock, err, isMembers, ok, type Result } from '#foundation';
import { type Connections, hasOwnAuthorization, isOf, type User } from './connections.ts';
import type { ConsentAsked, Credentials, SourceName } from './contract.ts';
import type { Flows } from './flows/flows.ts';
import type { Connection, Flow } from './store/kept.ts';
import type { Wanted } from './upstream/contract.ts';
import { wantedBy } from './upstream/discover.ts';

export interface AskingDeps {
  readonly connections: Connections;
  readonly flows: Flows;
  readonly clock: Clock;
  readonly issuer: () => string;
  readonly sourceOf: (projectId: string, id: string) => Source | null;
}

/** How long a client may be kept waiting for its user, who was just sent to the browser. */
const waitMs = 50_000;
/** A token that is refused so soon after it was given is refused for another reason than its age. */
const freshMs = 10_000;

/** Finds out what to do where a source wants an authorization: send it again with another token, or ask the user. */
export function createAsking(deps: AskingDeps): Pick<Credentials, 'challenged' | 'resumed' | 'connectList'> {
  const { flows, issuer, sourceOf } = deps;
  return {
    async challenged(caller, at, challenge, sent) {
      const source = sourceOf(at.projectId, at.sourceId);
      const wanted = wantedBy(challenge);
      const isOfScope = challenge.status === 403;
      if (source === null || !mayWantOAuth(source) || (isOfScope && !wanted.isInsufficient)) return null;
      const { userId } = caller;
      if (userId === null) return err(noUser(source));
      const personId = personOf(caller);
      const connection = await connectionAt(source, { userId, personId }, deps);
      const sentToken = sent?.authorization?.token ?? null;
      const another = await anotherToken(connection, { source, wanted, sentToken }, deps);
      if (!another.ok || another.value !== null)
        return another.ok ? ok(another.value as Credential) : another;
      const before = connection?.askedScopes ?? [];
      const flow = await flows.begin({ source, userId, personId, servesList: false, wanted, before });
      if (!flow.ok) return flow;
      return flow.value === null ? null : err(consentRequired(source, consentOf(flow.value, issuer())));
    },

    resumed(caller, at, resume, signal) {
      if (resume === null || !isConsentState(resume.state)) return null;
      const isDeclined = Object.values(resume.responses).some(
        (one) => isMembers(one) && one.action !== 'accept',
      );
      return wait(caller, at, { id: consentStateOf(resume.state), isDeclined, signal }, deps);
    },

    async connectList({ source, userId, personId, challenge }) {
      if (!mayWantOAuth(source)) return err(noOAuth(source));
      const wanted = wantedBy(challenge ?? { status: 401, header: null });
      const known = await connectionAt(source, { userId, personId }, deps);
      const isUseless = known?.refused === false && wanted.isInsufficient && grantsAll(known, wanted.scopes);
      if (isUseless) return err(stillRefused(source, covered));
      const before = known?.askedScopes ?? [];
      const flow = await flows.begin({ source, userId, personId, servesList: true, wanted, before });
      if (!flow.ok) return flow;
      return flow.value === null ? err(noOAuth(source)) : ok(consentOf(flow.value, issuer()));
    },
  };
}

const covered = 'though the authorization covers every scope that it names';
const tooOften = 'though the user consented several times just now';

function mayWantOAuth(source: Source): boolean {
  return source.kind === 'mcp' && source.stdio == null && !hasOwnAuthorization(source);
}

/** What was given for another address is none. */
async function connectionAt(
  source: Source,
  who: User,
  { connections }: AskingDeps,
): Promise<Connection | null> {
  const { userId } = who;
  const found = await connections.find({ projectId: source.projectId, sourceId: source.id, userId });
  return found?.uri === source.uri && isOf(found, who) ? found : null;
}

/** Another token than the one that was refused; `null`: the user has to be asked. */
async function anotherToken(
  connection: Connection | null,
  refused: { readonly source: Source; readonly wanted: Wanted; readonly sentToken: string | null },
  deps: AskingDeps,
): Promise<Result<Credential | null, Refusal>> {
  if (connection === null) return ok(null);
  const { source, wanted } = refused;
  const another = connection.refused ? ok(null) : await tokenInstead(connection, refused, deps);
  if (!another.ok || another.value !== null) return another;
  const asksInVain = deps.flows.consentsTooOften(connection.consentedAtMs);
  return asksInVain ? err(stillRefused(source, wanted.isInsufficient ? covered : tooOften)) : another;
}

async function tokenInstead(
  connection: Connection,
  { source, wanted, sentToken }: { source: Source; wanted: Wanted; sentToken: string | null },
  { connections, clock }: AskingDeps,
): Promise<Result<Credential | null, Refusal>> {
  const { accessToken, refreshToken } = connection.secret;
  // Somebody else got a new one meanwhile.
  if (sentToken !== null && sentToken !== accessToken) return ok(connections.remember(connection));
  if (wanted.isInsufficient) {
    const isCovered = sentToken !== null && grantsAll(connection, wanted.scopes);
    return isCovered ? err(stillRefused(source, covered)) : ok(null);
  }
  const isFresh = sentToken !== null && clock.now() - connection.changedAtMs < freshMs;
  if (refreshToken === null || isFresh) return ok(await connections.refuse(connection));
  const renewed = await connections.renew(connection, source);
  if (!renewed.ok) return renewed;
  return ok(renewed.value === null ? null : connections.remember(renewed.value));
}

/** For the end of a consent that a client was sent to; only of its own user, and only for this source. */
async function wait(
  caller: Caller,
  at: SourceName,
  { id, isDeclined, signal }: { id: string; isDeclined: boolean; signal: AbortSignal | null },
  { flows, sourceOf, issuer }: AskingDeps,
): Promise<Result<void, Refusal>> {
  const source = sourceOf(at.projectId, at.sourceId);
  const known = await flows.find(id);
  const isTheirs =
    known?.sourceId === at.sourceId && known.projectId === at.projectId && known.userId === caller.userId;
  if (source === null || !isTheirs) return ok(undefined);
  if (isDeclined) return err(declined(source));
  const flow = await flows.ended(id, waitMs, signal);
  if (flow === null || flow.status === 'completed') return ok(undefined);
  if (flow.status === 'failed') return err(failed(source, flow));
  return err(consentRequired(source, consentOf(flow, issuer())));
}

function consentOf({ id, secret, scopes }: Flow, issuer: string): ConsentAsked {
  return { id, url: `${issuer}/connect/${secret.token}`, scopes };
}

function consentRequired({ id: sourceId }: Source, { id, url, scopes }: ConsentAsked): Refusal {
  const message = `${sourceId} needs the user's authorization. Open ${url} in a browser, allow it there, and make the same call again.`;
  const instructions = `Show the user this link and ask them to open it: ${url} . Once they say that they are done, make the same call again.`;
  return refusal('credentials.consent_required', message, {
    // The address is worth something to whoever reads the record.
    reason: `the user has to authorize ${sourceId} first (${id})`,
    details: {
      authorization_url: url,
      authorization_id: id,
      provider_id: sourceId,
      scopes,
      llm_instructions: instructions,
    },
  });
}

/** A person is to be signed in at the browser; where an API key vouches for the user, it vouches for the address, too. */
export function personOf({ principal }: Caller): string | null {
  return principal.kind === 'person' ? principal.id : null;
}

function grantsAll({ grantedScopes }: Connection, wanted: readonly string[]): boolean {
  return wanted.every((scope) => grantedScopes.includes(scope));
}

function noUser({ id }: Source): Refusal {
  return refusal(
    'credentials.not_configured',
    `${id} wants to know for which user it acts: say so (user_id, or the header Arcade-User-ID)`,
  );
}

function stillRefused({ id }: Source, why: string): Refusal {
  return refusal('source.secret_refused', `${id} refuses the call, ${why}; ask whoever runs that server`);
}

function declined({ id }: Source): Refusal {
  return refusal(
    'credentials.not_configured',
    `${id} needs the user's authorization, and the user did not want to give it`,
  );
}

function failed({ id: sourceId }: Source, { id, reason }: Flow): Refusal {
  return refusal(
    'credentials.not_configured',
    `the user's authorization for ${sourceId} failed: ${reason ?? 'for no known reason'} (reference ${id}); make the call again to try once more`,
  );
}

function noOAuth({ id }: Source): Refusal {
  return refusal(
    'resource.conflict',
    `${id} does not ask for OAuth: no authorization server of it can be found, or it has an authorization header of its own`,
    { field: 'id' },
  );
}
