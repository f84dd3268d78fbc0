import type { Source } from '#domain';
import { type Clock, err, ok, type Result } from '#foundation';
import type { Authority, Held, Problem, Target } from '../authority.ts';
import { type ClientDeps, clientFor } from './clients.ts';
import type { UpstreamClient, UpstreamServer } from './contract.ts';
import { discover, scopesToAsk } from './discover.ts';
import type { FetchFor } from './fetching.ts';
import { brokenBy, problemOfCode } from './problems.ts';
import { authorizationUrlOf, isAnswerOf, revokeToken, tokensAgain, tokensFor } from './tokens.ts';

export interface SourceAuthorityDeps {
  readonly store: ClientDeps['store'];
  readonly clock: Clock;
  readonly issuer: () => string;
  readonly fetchFor: FetchFor;
  readonly sourceOf: (projectId: string, id: string) => Source | null;
}

interface HeldOfSource {
  readonly server: UpstreamServer;
  readonly client: UpstreamClient;
}

const of = (held: Held) => held as unknown as HeldOfSource;

/** The authorization server that an MCP server names (RFC 9728, then RFC 8414 or OpenID Connect discovery). */
export function createSourceAuthority(deps: SourceAuthorityDeps): Authority {
  const { store, clock, fetchFor, sourceOf } = deps;

  const sourceAt = ({ projectId, id }: Target): Source | null => {
    const source = sourceOf(projectId, id);
    return source !== null && mayWantOAuth(source) ? source : null;
  };

  /** Runs it where the source is still there; a client that is not known any more is forgotten where it can be made anew. */
  async function at<T>(
    target: Target,
    held: Held,
    run: (deps: { fetchFn: ReturnType<FetchFor>; clock: Clock }) => Promise<Result<T, Problem>>,
  ): Promise<Result<T, Problem>> {
    const source = sourceAt(target);
    if (source === null) return err(gone);
    const outcome = await run({ fetchFn: fetchFor(source), clock });
    if (outcome.ok || outcome.error.kind !== 'client') return outcome;
    const { server, client } = of(held);
    // One of hand stays bound to the server that it was shown to.
    if (!client.isRegistered) return outcome;
    await store.forgetClient({ projectId: target.projectId, sourceId: target.id }, server.issuer);
    return err({ ...outcome.error, kind: 'consent' });
  }

  return {
    boundTo: (target) => sourceAt(target)?.uri ?? null,

    async prepare(target, wanted) {
      const source = sourceAt(target);
      if (source === null) return ok(null);
      const fetchFn = fetchFor(source);
      const found = await discover(source.uri, wanted, fetchFn);
      if (!found.ok || found.value === null) return found as Result<null, Problem>;
      const { server } = found.value;
      const client = await clientFor(source, server, { ...deps, fetchFn });
      if (!client.ok) return client;
      const held: HeldOfSource = { server, client: client.value };
      // Nobody is asked who could not be sent anywhere.
      const url = await authorizationUrlOf(server, client.value, [], 'tried');
      if (!url.ok) return url;
      return ok({
        held: { ...held },
        boundTo: source.uri,
        issuer: server.issuer,
        host: new URL(server.issuer).host,
        label: source.id,
        scopes: scopesToAsk(wanted.scopes, found.value),
        entry: null,
      });
    },

    authorize: (_target, held, { scopes, state }) =>
      authorizationUrlOf(of(held).server, of(held).client, scopes, state),
    isAnswerOf: (_target, held, iss) => isAnswerOf(of(held).server, iss),
    explain: (_target, _held, error) => problemOfCode(error),
    exchange: (target, held, answer) =>
      at(target, held, (with_) => tokensFor(answer, of(held).server, of(held).client, with_)),
    enter: async () => err(brokenBy('nothing is entered for an MCP server')),
    renew: (target, held, { refreshToken }) =>
      at(target, held, (with_) => tokensAgain(refreshToken ?? '', of(held).server, of(held).client, with_)),
    revoke: (target, held, { accessToken, refreshToken }) =>
      at(target, held, ({ fetchFn }) =>
        revokeToken(refreshToken ?? accessToken, of(held).server, of(held).client, fetchFn),
      ),
    headerOf: () => null,
  };
}

const gone = brokenBy('the source is not there any more, or is another one now');

export function mayWantOAuth(source: Source): boolean {
  return source.kind === 'mcp' && source.stdio == null && !hasOwnAuthorization(source);
}

/** Such a source acts as whoever runs it, and for everybody. */
function hasOwnAuthorization({ headers }: Source): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
}
