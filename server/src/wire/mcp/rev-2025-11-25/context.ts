import { type ClientSide, type Refusal, refusal } from '#domain';
import { err, type MaybePromise, ok, type Result } from '#foundation';
import { describe } from '#telemetry';
import type { Exchange } from '../exchange.ts';
import { type McpDeps, type Refused, refused } from '../front.ts';
import type { Session } from '../sessions/session.ts';
import { assumedVersion, isLegacyVersion, type LegacyVersion, legacyVersions } from './versions.ts';

/** In what a request of this generation is made. */
export interface Context {
  readonly exchange: Exchange;
  readonly deps: McpDeps;
  /** `null` where the client dropped the session header: it is served, but nothing is kept for it. */
  readonly session: Session | null;
  readonly version: LegacyVersion;
}

/** The version and session that the headers name. */
export function contextOf(exchange: Exchange, deps: McpDeps): MaybePromise<Result<Context, Refused>> {
  const { caller, view, sessionId } = exchange;
  if (sessionId === undefined) return contextIn(null, exchange, deps);
  const goOn = (found: Result<Session, Refusal>): Result<Context, Refused> =>
    found.ok ? contextIn(found.value, exchange, deps) : err(refused(found.error));
  const found = deps.sessions.find(sessionId, caller, view.gateway.id);
  return found instanceof Promise ? found.then(goOn) : goOn(found);
}

function contextIn(session: Session | null, exchange: Exchange, deps: McpDeps): Result<Context, Refused> {
  const { request, span } = exchange;
  if (session !== null && span?.sampled)
    describe(span, { mcpSession: session.id, mcpVersion: session.version });
  const named = request.headers['mcp-protocol-version'];
  if (named !== undefined && !isLegacyVersion(named)) {
    const shown = JSON.stringify(named);
    const unsupported = refusal('request.version_unsupported', `the revision ${shown} is not one we speak`, {
      field: 'MCP-Protocol-Version',
    });
    return err(refused(unsupported, { supported: legacyVersions, requested: named }));
  }
  const version = session?.version ?? named ?? assumedVersion;
  return ok({ exchange, deps, session, version });
}

/** The session of a request that is about nothing else. */
export async function sessionOf(
  exchange: Exchange,
  deps: McpDeps,
): Promise<Result<Context & { session: Session }, Refused>> {
  // Asked first: clients of the generation without sessions are told so whatever version they name.
  const without = refused(
    refusal('request.method_not_allowed', 'without a session, a gateway takes only POST'),
  );
  if (exchange.sessionId === undefined) return err(without);
  const context = await contextOf(exchange, deps);
  if (!context.ok) return context;
  const { session } = context.value;
  return session === null ? err(without) : ok({ ...context.value, session });
}

/** The client of a request as its source may know it. */
export function clientSide({ exchange, deps, session }: Context): ClientSide {
  return {
    capabilities: session?.capabilities ?? {},
    conversation: session?.id ?? null,
    logLevel: session?.logLevel ?? 'any',
    ask: (request, signal) => deps.sessions.ask(session, exchange, request, signal),
    resume: null,
  };
}

/** Without a session there is nowhere to keep it. */
export function needsSession(what: string): Refused {
  return refused(
    refusal('request.invalid', `${what} is kept with a session: send the header Mcp-Session-Id`, {
      field: 'Mcp-Session-Id',
    }),
  );
}
