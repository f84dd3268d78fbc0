import {
  type Caller,
  type Credential,
  consentStateOf,
  isConsentState,
  type Refusal,
  refusal,
  type Source,
} from '#domain';
import { err, isMembers, ok, type Result } from '#foundation';
import { type Connections, hasOwnAuthorization } from './connections.ts';
import type { ConsentAsked, Credentials, SourceName } from './contract.ts';
import type { Asking, Flows } from './flows.ts';
import type { Connection, Flow } from './store.ts';
import { wantedBy } from './upstream/discover.ts';

export interface AskingDeps {
  readonly connections: Connections;
  readonly flows: Flows;
  readonly issuer: () => string;
  readonly sourceOf: (projectId: string, id: string) => Source | null;
}

/** How long a client may be kept waiting for its user, who was just sent to the browser. */
const waitMs = 50_000;

/** Finds out what to do where a source wants an authorization: send it again with another token, or ask the user. */
export function createAsking({ connections, flows, issuer, sourceOf }: AskingDeps) {
  function consentOf({ id, secret, scopes }: Flow): ConsentAsked {
    return { id, url: `${issuer()}/connect/${secret.token}`, scopes };
  }

  function consentRequired(source: Source, flow: Flow): Refusal {
    const { id, url, scopes } = consentOf(flow);
    const message = `${source.id} needs the user's authorization. Open ${url} in a browser, allow it there, and make the same call again.`;
    const instructions = `Show the user this link and ask them to open it: ${url} . Once they say that they are done, make the same call again.`;
    return refusal('credentials.consent_required', message, {
      reason: `the user has to authorize ${source.id} first (${id})`,
      details: {
        authorization_url: url,
        authorization_id: id,
        provider_id: source.id,
        scopes,
        llm_instructions: instructions,
      },
    });
  }

  async function ask(asking: Asking): Promise<Result<Credential, Refusal> | null> {
    const flow = await flows.begin(asking);
    if (!flow.ok) return flow;
    return flow.value === null ? null : err(consentRequired(asking.source, flow.value));
  }

  /** Another token for the same user, where there is one. */
  async function anotherToken(
    connection: Connection,
    source: Source,
    sentToken: string | null,
  ): Promise<Result<Credential | null, Refusal>> {
    // Somebody else got a new one meanwhile.
    if (connection.secret.accessToken !== sentToken && sentToken !== null)
      return ok(connections.remember(connection));
    if (connection.secret.refreshToken !== null) {
      const renewed = await connections.renew(connection, source);
      if (!renewed.ok) return renewed;
      return ok(renewed.value === null ? null : connections.remember(renewed.value));
    }
    await connections.refuse(connection);
    return ok(null);
  }

  const challenged: Credentials['challenged'] = async (caller, at, challenge, sent) => {
    const source = sourceOf(at.projectId, at.sourceId);
    const wanted = wantedBy(challenge);
    if (source?.kind !== 'mcp' || hasOwnAuthorization(source)) return null;
    if (challenge.status === 403 && !wanted.isInsufficient) return null;
    if (caller.userId === null) return err(noUser(source));
    const found = await connections.find({ ...at, userId: caller.userId });
    const connection = found?.uri === source.uri ? found : null;
    if (connection !== null && !connection.refused) {
      const sentToken = sent?.authorization?.token ?? null;
      const isStale = sentToken !== connection.secret.accessToken;
      if (challenge.status === 401 || isStale) {
        const another = await anotherToken(connection, source, sentToken);
        if (!another.ok) return another;
        if (another.value !== null) return ok(another.value);
      } else if (grantsAll(connection, wanted.scopes)) {
        return err(stillRefused(source, coveredWords));
      }
    }
    if (connection !== null && flows.consentsTooOften(connection.consentedAtMs)) {
      return err(stillRefused(source, 'though the user consented several times just now'));
    }
    const before = connection?.askedScopes ?? [];
    const { personId } = verifiedBy(caller);
    return ask({ source, userId: caller.userId, personId, servesList: false, wanted, before });
  };

  const resumed: Credentials['resumed'] = (caller, at, resume, signal) => {
    if (resume === null || !isConsentState(resume.state)) return null;
    return wait(caller, at, resume.state, resume.responses, signal);
  };

  async function wait(
    caller: Caller,
    at: SourceName,
    state: string,
    responses: { readonly [key: string]: unknown },
    signal: AbortSignal | null,
  ): Promise<Result<void, Refusal>> {
    const source = sourceOf(at.projectId, at.sourceId);
    const isDeclined = Object.values(responses).some((one) => isMembers(one) && one.action !== 'accept');
    const known = await flows.find(consentStateOf(state));
    const isTheirs =
      known?.sourceId === at.sourceId && known.projectId === at.projectId && known.userId === caller.userId;
    if (source === null || !isTheirs) return ok(undefined);
    if (isDeclined) return err(declined(source));
    const flow = await flows.ended(known.id, waitMs, signal);
    if (flow === null || flow.status === 'completed') return ok(undefined);
    if (flow.status === 'failed') return err(failed(source, flow));
    return err(consentRequired(source, flow));
  }

  const connectList: Credentials['connectList'] = async ({ source, userId, personId, challenge }) => {
    if (source.kind !== 'mcp' || hasOwnAuthorization(source)) return err(noOAuth(source));
    const wanted = wantedBy(challenge ?? { status: 401, header: null });
    const place = { projectId: source.projectId, sourceId: source.id, userId };
    const connection = await connections.find(place);
    const known = connection?.uri === source.uri ? connection : null;
    const isUseless =
      wanted.isInsufficient && known !== null && !known.refused && grantsAll(known, wanted.scopes);
    if (isUseless) return err(stillRefused(source, coveredWords));
    const before = known?.askedScopes ?? [];
    const flow = await flows.begin({ source, userId, personId, servesList: true, wanted, before });
    if (!flow.ok) return flow;
    return flow.value === null ? err(noOAuth(source)) : ok(consentOf(flow.value));
  };

  return { challenged, resumed, connectList };
}

/** A person is to be signed in at the browser; where an API key vouches for the user, it vouches for the address, too. */
function verifiedBy({ principal }: Caller): { readonly personId: string | null } {
  return { personId: principal.kind === 'person' ? principal.id : null };
}

function grantsAll({ grantedScopes }: Connection, wanted: readonly string[]): boolean {
  return wanted.every((scope) => grantedScopes.includes(scope));
}

const coveredWords = 'though the authorization covers every scope that it names';

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
