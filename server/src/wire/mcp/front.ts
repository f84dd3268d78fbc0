import type { AuditKind } from '@sallyport/contracts';
import type { Audit, AuditEntry } from '#audit';
import type { Catalog } from '#catalog';
import type { Refusal, RpcError } from '#domain';
import { type Clock, elapsedMs, type Members, type Sealer } from '#foundation';
import type { Hub } from '#hub';
import type { Pipeline } from '#pipeline';
import type { Sources } from '#sources';
import type { Log, Tracer } from '#telemetry';
import type { GatewayPage } from '../sign-in/gateway-page.ts';
import type { Exchange } from './exchange.ts';
import { beginSpan, describeRefused } from './request-span.ts';
import { errorMessage, type RpcId, relayedError } from './rpc.ts';
import type { Sessions } from './sessions/sessions.ts';
import type { Streams } from './streams.ts';
import type { TaskIds } from './tasks/ids.ts';

/** What the MCP front works with. */
export interface McpDeps {
  readonly pipeline: Pipeline;
  readonly catalog: Catalog;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
  readonly tracer: Tracer;
  readonly sources: Sources;
  /** Seals what clients bring back: session ids, states of requests, ids of tasks. */
  readonly sealer: Sealer;
  readonly sessions: Sessions;
  readonly streams: Streams;
  readonly tasks: TaskIds;
  /** `null`: this process presents tools only. */
  readonly hub: Hub | null;
  /** What a person sees who opens a gateway's address in a browser. */
  readonly page: GatewayPage;
  /** Our own origin. */
  readonly issuer: () => string;
  /** This server's own version, for `serverInfo`. */
  readonly version: string;
}

/** A request that the front, or the pipeline behind it, refused. */
export interface Refused {
  readonly refusal: Refusal;
  /** Whether the pipeline wrote its audit record already. */
  readonly recorded: boolean;
  /** Further members of the JSON-RPC error's `data`. */
  readonly data?: Members;
  /** What the record calls the request; a tool call unless told. */
  readonly kind?: AuditKind;
  /** The error to tell in place of ours: the source's own, or one under the number that this generation has for it. */
  readonly relayed?: RpcError;
}

/** A refusal that nobody recorded yet. */
export function refused(refusal: Refusal, data?: Members): Refused {
  return data === undefined ? { refusal, recorded: false } : { refusal, recorded: false, data };
}

/** The text of the JSON-RPC error that tells of a refusal. */
export function errorText(id: RpcId | null, { refusal, data, relayed }: Refused): string {
  return relayed === undefined ? errorMessage(id, refusal, data) : relayedError(id, relayed);
}

/** How a gateway introduces itself, in either generation. */
export function serverInfo({ view: { gateway } }: Exchange, { version }: McpDeps): Members {
  const { slug, name, description } = gateway;
  return { name: slug, title: name, version, ...(description === '' ? {} : { description }) };
}

/** What it says to a model: its own words, else those of the server whose own names it shows, to who may see all of that. */
export function instructionsFor({ caller, view }: Exchange, { pipeline }: McpDeps): string {
  const { gateway, serverInstructions: server } = view;
  if (gateway.instructions !== '' || server === null) return gateway.instructions;
  if (!pipeline.permits(caller, gateway, server.target)) return '';
  const heard = pipeline.overheard(caller, gateway, server.target, { instructions: server.text });
  return typeof heard?.instructions === 'string' ? heard.instructions : '';
}

/** One record for a listing, or for a request that was refused before it became a call. */
export function record(
  exchange: Exchange,
  deps: McpDeps,
  entry: Pick<AuditEntry, 'kind' | 'decision' | 'code' | 'reason'>,
): void | Promise<void> {
  const { caller, view } = exchange;
  return deps.audit.record({
    ...entry,
    projectId: caller.principal.projectId,
    userId: caller.userId,
    principal: caller.principal.id,
    clientId: caller.clientId ?? null,
    gateway: view.gateway.slug,
    traceId: exchange.span?.traceId ?? null,
    durationMs: elapsedMs(deps.clock, exchange.startedAt),
  });
}

/** The one record of a refused request. */
export async function recordRefused(exchange: Exchange, refused: Refused, deps: McpDeps): Promise<void> {
  describeRefused(exchange.span ?? beginSpan(exchange, null, deps), refused);
  const { refusal, recorded, kind = 'tool_call' } = refused;
  if (recorded) return;
  const { code, reason, message } = refusal;
  await record(exchange, deps, { kind, decision: 'refused', code, reason: reason ?? message });
}
