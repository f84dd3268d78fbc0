import { isMembers, type Members } from '#foundation';
import type { WholeRequest } from '../http/fast/whole-request.ts';
import type { HttpResponse } from '../http/message.ts';
import type { OriginPolicy } from '../http/origin.ts';
import { enter, serveKnown, unfitForm } from './endpoint.ts';
import type { Exchange } from './exchange.ts';
import type { McpDeps } from './front.ts';
import { isMetaTool } from './hub/meta-tools.ts';
import { isLegacyVersion } from './rev-2025-11-25/versions.ts';
import { isRetry } from './rev-2026-07-28/client.ts';
import { envelopeFault, isModern, prefix } from './rev-2026-07-28/envelope.ts';
import { type ClientMessage, parseBody } from './rpc.ts';
import { isToldOf } from './sessions/among-processes.ts';
import { runsTasks } from './tasks/calls.ts';

type Request = Extract<ClientMessage, { kind: 'request' }>;

export interface LaneEndpoint {
  /** `false`: whoever serves it should have all that follows on its connection, too, as there is little to be served here. */
  accepts(request: WholeRequest): boolean;
  /** Whether this process serves it; nothing was said or recorded where it does not. */
  serves(request: WholeRequest, response: HttpResponse): boolean;
}

/**
 * `/mcp/{slug}` in a process that keeps nothing: it serves what it surely serves as any other would, calls and lists of tools, with
 * a session or without, and leaves all else alone. It goes by what it knows to be so; a request of which it does not know is not its own.
 */
export function createLaneEndpoint(deps: McpDeps, origins: OriginPolicy): LaneEndpoint {
  return {
    accepts({ slug, headers }) {
      if (headers['mcp-session-id'] === undefined) return true;
      const view = deps.catalog.view(slug);
      if (view === null || deps.pipeline.someStandAlone(view)) return true;
      return view.readRest !== null && view.gateway.presentation !== 'hub';
    },
    serves(request, response) {
      const entering = enter(request, response, request.slug, deps, origins);
      if (entering instanceof Promise) {
        // Who comes for the first time is known the next time.
        entering.catch(() => undefined);
        return false;
      }
      if (!entering.ok || unfitForm(request) !== null) return false;
      const exchange = entering.value;
      const parsed = parseBody(request.body);
      if (!parsed.ok || Array.isArray(parsed.value) || parsed.value.kind !== 'request') return false;
      const message = parsed.value;
      if (!isRead(exchange, message)) return false;
      if (!isPlain(exchange, message) || !standsAlone(exchange, message, deps)) return false;
      if (!isInKnownSession(exchange, message, deps)) return false;
      // A mistake of ours costs this request, and not all others that are served here.
      serveKnown(exchange, message, deps).catch(() => response.destroy());
      return true;
    },
  };
}

/** One that names no stream in its address, and whose generation has nothing to say against it. */
function isPlain(exchange: Exchange, message: Request): boolean {
  const named = exchange.request.headers['mcp-protocol-version'];
  if (Array.isArray(named) || exchange.request.url?.includes('?') !== false) return false;
  const { method, params } = message;
  if (!isModern(named, message)) return named === undefined || isLegacyVersion(named);
  // That generation has none, nor pings.
  if (exchange.sessionId !== undefined || method === 'ping') return false;
  const meta = params._meta;
  const hasLevel = isMembers(meta) && meta[`${prefix}/logLevel`] !== undefined;
  return envelopeFault(exchange, message) === null && !isRetry(method, params) && !hasLevel;
}

/** One of which is not known whether it still lasts is looked up for the next request. */
function isInKnownSession(
  { sessionId, caller, view }: Exchange,
  { id }: Request,
  { sessions }: McpDeps,
): boolean {
  if (sessionId === undefined) return true;
  if (!isToldOf(id)) return false;
  const finding = sessions.find(sessionId, caller, view.gateway.id);
  if (!(finding instanceof Promise)) return finding.ok;
  finding.catch(() => undefined);
  return false;
}

/** What a gateway shows that is not in this process yet is read for the next request; what the hub answers needs none of it. */
function isRead({ view }: Exchange, { method, params }: Request): boolean {
  if (view.readRest === null || method === 'ping') return true;
  if (!isOfHub(view, method, params)) view.readRest();
  return false;
}

/** The office has the hub. */
function isOfHub({ gateway }: Exchange['view'], method: string, params: Request['params']): boolean {
  return gateway.presentation !== 'tools' && (method === 'tools/list' || isMetaTool(params.name));
}

function standsAlone(
  { caller, view }: Exchange,
  { method, params }: Request,
  { pipeline }: McpDeps,
): boolean {
  if (method === 'ping') return true;
  if (isOfHub(view, method, params)) return false;
  if (method === 'tools/list') return pipeline.standsAlone(caller, view.gateway, null, false);
  const { name, arguments: args = {}, task } = params;
  if (method !== 'tools/call' || typeof name !== 'string' || !isMembers(args) || task !== undefined)
    return false;
  const shown = view.find(name);
  if (shown === null) return false;
  const declared = declaredIn(params);
  // Who began a task is remembered where it was begun.
  if (runsTasks(declared, 'extension') && runsTasks(view.capabilitiesOf(shown.tool.sourceId), 'extension'))
    return false;
  return pipeline.standsAlone(caller, view.gateway, shown, Object.keys(declared).length > 0);
}

/** What a client of today says that it can do; others said it when their session began. */
function declaredIn({ _meta: meta }: Request['params']): Members {
  const declared = isMembers(meta) ? meta[`${prefix}/clientCapabilities`] : undefined;
  return isMembers(declared) ? declared : {};
}
