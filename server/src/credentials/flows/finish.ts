import type { Source } from '#domain';
import type { Clock } from '#foundation';
import type { Connections } from '../connections.ts';
import type { Flow } from '../store/kept.ts';
import type { ConnectionStore } from '../store/store.ts';
import type { UpstreamProblem } from '../upstream/contract.ts';
import type { FetchFor } from '../upstream/fetching.ts';
import { problemOfCode } from '../upstream/problems.ts';
import { isAnswerOf, tokensFor } from '../upstream/tokens.ts';

export interface FinishDeps {
  readonly store: ConnectionStore;
  readonly connections: Connections;
  readonly clock: Clock;
  readonly fetchFor: FetchFor;
  readonly sourceOf: (projectId: string, id: string) => Source | null;
}

/** Who consented so often lately, and still is not let in, is asked no more for a while. */
export const maxConsents = 3;
export const consentsWithinMs = 10 * 60_000;

/** Keeps what the answer of an authorization server is worth; the problem where that is nothing. */
export async function finish(
  flow: Flow,
  answer: URLSearchParams,
  deps: FinishDeps,
): Promise<UpstreamProblem | null> {
  const { store, connections, clock, fetchFor } = deps;
  const { server, client, codeVerifier } = flow.secret;
  const source = deps.sourceOf(flow.projectId, flow.sourceId);
  if (source === null || source.uri !== flow.secret.uri)
    return broken('the source is not there any more, or is another one now');
  const iss = answer.get('iss');
  // Before that, no word of the answer is believed.
  if (!isAnswerOf(server, iss)) {
    return broken('the answer did not come from the authorization server that you were sent to');
  }
  const error = answer.get('error');
  if (error !== null) return problemOfCode(error);
  const code = answer.get('code');
  if (code === null || code === '') return broken('the answer held no code');
  const tokens = await tokensFor({ code, iss, codeVerifier }, server, client, {
    fetchFn: fetchFor(source),
    clock,
  });
  if (!tokens.ok) {
    if (tokens.error.kind === 'client') await store.forgetClient(flow, server.issuer);
    return tokens.error;
  }
  const { accessToken, refreshToken, expiresAtMs, scopes } = tokens.value;
  const before = await connections.find(flow);
  const lately = (before?.consentedAtMs ?? []).filter((at) => at > clock.now() - consentsWithinMs);
  await connections.save({
    projectId: flow.projectId,
    sourceId: flow.sourceId,
    userId: flow.userId,
    uri: source.uri,
    personId: flow.personId,
    issuer: server.issuer,
    servesList: flow.servesList,
    askedScopes: flow.scopes,
    grantedScopes: scopes ?? flow.scopes,
    consentedAtMs: [...lately, clock.now()].slice(-2 * maxConsents),
    refused: false,
    expiresAtMs,
    secret: { accessToken, refreshToken, server, client },
  });
  return null;
}

function broken(words: string): UpstreamProblem {
  return { kind: 'broken', words };
}
