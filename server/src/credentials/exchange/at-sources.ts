import type { Caller, Credential, Refusal, Source } from '#domain';
import { type Clock, err, ok, type Result } from '#foundation';
import type { Authority, Problem, Target, Wanted } from '../authority.ts';
import { stillRefused } from '../refusals.ts';
import type { UpstreamClient, UpstreamServer } from '../upstream/contract.ts';
import type { FetchFor } from '../upstream/fetching.ts';
import { tokensByAssertion } from '../upstream/tokens.ts';
import type { Subjects } from './contract.ts';
import type { Exchanged } from './kept.ts';
import { type About, noSubject, refusalOfProblem, refusalOfSubject } from './refusals.ts';
import type { Got, TokenShelf } from './shelf.ts';

export interface AtSourcesDeps {
  readonly shelf: TokenShelf;
  readonly subjects: Subjects;
  /** Of MCP servers. */
  readonly authority: Pick<Authority, 'prepare'>;
  readonly fetchFor: FetchFor;
  readonly clock: Clock;
  readonly issuer: () => string;
  readonly exchangesTokens: (projectId: string) => boolean;
}

interface Place {
  readonly server: UpstreamServer;
  readonly client: UpstreamClient;
  readonly scopes: readonly string[];
}

type Authorization = NonNullable<Credential['authorization']>;

/** MCP servers whose authorization server takes an assertion of the user's own issuer (ID-JAG): nobody is asked to consent. */
export interface AtSources {
  /** Of memory; `null`: there is none. */
  known(caller: Caller, source: Source): Authorization | null;
  /** After a challenge. `null`: this is not how it is done there. */
  authorization(asked: {
    readonly caller: Caller;
    readonly source: Source;
    readonly wanted: Wanted;
    readonly refused: string | null;
  }): Promise<Result<Authorization, Refusal> | null>;
}

export function createAtSources(deps: AtSourcesDeps): AtSources {
  const { shelf, subjects, clock, fetchFor } = deps;

  async function got(
    caller: Caller,
    source: Source,
    place: Place,
    about: About,
  ): Promise<Result<Got, Refusal>> {
    const { server, client } = place;
    const { scopes } = about;
    const given = await subjects.identityAssertion(caller, source.projectId, {
      ...{ kind: 'id_token', audience: server.issuer, resource: server.resource ?? source.uri },
      ...{ scopes, endpoint: null },
    });
    if (!given.ok) return err(refusalOfSubject(about, given.error));
    const { assertion, signInId } = given.value;
    const with_ = { fetchFn: fetchFor(source), clock };
    const tokens = await tokensByAssertion({ assertion, scopes }, server, client, with_);
    if (!tokens.ok) return err(await refused(caller, source, about, tokens.error));
    const { accessToken: token, scopes: granted, expiresAtMs } = tokens.value;
    return ok({ token, scopes: granted ?? scopes, expiresAtMs, signInId });
  }

  async function refused(caller: Caller, { projectId }: Source, about: About, problem: Problem) {
    return refusalOfProblem(about, problem, await subjects.sourceOf(caller, projectId));
  }

  async function placeOf(source: Source, wanted: Wanted): Promise<Place | null> {
    const isDemanded = demandsAssertion(source);
    if (!isDemanded && !deps.exchangesTokens(source.projectId)) return null;
    const target: Target = { projectId: source.projectId, kind: 'source', id: source.id };
    const prepared = await deps.authority.prepare(target, wanted);
    if (!prepared.ok || prepared.value === null) return null;
    const { server, client } = prepared.value.held as unknown as Omit<Place, 'scopes'>;
    if (!isDemanded && server.takesAssertions !== true) return null;
    // There is no refresh token to be had: the assertion is.
    const scopes = prepared.value.scopes.filter((scope) => scope !== 'offline_access');
    return { server, client, scopes };
  }

  return {
    known(caller, source) {
      const subject = subjects.nameOf(caller);
      const found = subject === null ? null : shelf.get(nameOf(source, subject));
      return found === null ? null : carried(found.token);
    },
    async authorization({ caller, source, wanted, refused: token }) {
      const subject = caller.signInId ?? null;
      const isDemanded = demandsAssertion(source);
      if (subject === null) return isDemanded ? err(noSubject({ label: source.id })) : null;
      const place = await placeOf(source, wanted);
      if (place === null) return null;
      const { id } = source;
      const name = nameOf(source, subject);
      const known = shelf.get(name);
      const inVain = isDemanded ? err(stillRefused(id, "though it came with the user's token")) : null;
      if (isInVain(known, token, wanted)) return inVain;
      const scopes = besides(known, place.scopes);
      const about = { label: id, id, subject, scopes, issuer: deps.issuer() };
      const get = () => got(caller, source, place, about);
      const { isInsufficient } = wanted;
      const given = await shelf.token(name, subject, { token, isInsufficient }, get);
      if (given.ok) return given.value.token === token ? inVain : ok(carried(given.value.token));
      // Where users can consent instead, they are asked to.
      return isDemanded || given.error.code === 'credentials.provider_unavailable' ? given : null;
    },
  };
}

/** What a token had before is not lost by asking for more. */
function besides(known: Exchanged | null, scopes: readonly string[]): readonly string[] {
  return [...new Set([...(known?.scopes ?? []), ...scopes])];
}

/** It was refused for want of scopes, and has all that are named. */
function isInVain(known: Exchanged | null, sent: string | null, wanted: Wanted): boolean {
  if (known === null || known.token !== sent || !wanted.isInsufficient) return false;
  return wanted.scopes.every((one) => known.scopes.includes(one));
}

/** `mcp.oauth2.identity_assertion` of a source: its users are never asked to consent. */
export function demandsAssertion({ kept }: Pick<Source, 'kept'>): boolean {
  return (kept?.oauth2 as { readonly identity_assertion?: boolean } | undefined)?.identity_assertion === true;
}

function nameOf({ projectId, id, updatedAt }: Source, subject: string): string {
  return JSON.stringify(['source', projectId, id, updatedAt, subject]);
}

const carried = (token: string): Authorization => ({ token, userInfo: {} });
