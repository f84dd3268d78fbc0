import type { ListKind } from '#catalog';
import { type CallNotification, type LogLevel, logLevels, refusal } from '#domain';
import { err, type Members, messageOf, ok, type Result } from '#foundation';
import type { Announcement } from '#sources';
import { type Exchange, messageEvent } from '../exchange.ts';
import { type McpDeps, type Refused, refused } from '../front.ts';
import { type Hearer, hearerNow, mayHearOf, overheard } from '../hearing.ts';
import { ownNotifications } from '../relay.ts';
import type { Listener, Session } from '../sessions/session.ts';
import { say } from '../streams.ts';
import { bearerOf } from '../tasks/calls.ts';
import { taskNotification } from '../tasks/messages.ts';
import { sessionOf } from './context.ts';
import { mannersOf } from './manners.ts';
import { takeUp } from './subscriptions.ts';

/** GET: the stream on which this generation hears of what belongs to no request. */
export async function openStream(exchange: Exchange, deps: McpDeps): Promise<Result<void, Refused>> {
  const context = await sessionOf(exchange, deps);
  if (!context.ok) return context;
  if (!exchange.acceptsStream) {
    return err(
      refused(refusal('request.not_acceptable', 'a GET must accept text/event-stream', { field: 'Accept' })),
    );
  }
  const { session } = context.value;
  const { response, view } = exchange;
  if (response.destroyed) return ok(undefined);
  // One stream a session: the newest wins, since the old one may be a connection that died unseen.
  session.listener?.response.end();
  exchange.beginStream({ 'mcp-session-id': session.sealedId });
  response.flushHeaders();
  const listener = listenOn(exchange, session, deps);
  const mayHear = () => hearerNow(exchange, deps) !== null;
  deps.streams.hold(view.gateway.slug, {
    response,
    mayHear,
    lists: new Set(allLists),
    changed,
    goodbye: null,
  });
  listener.takeUp();
  return ok(undefined);
}

export const allLists: readonly ListKind[] = ['tools', 'prompts', 'resources'];

export function changed(list: ListKind): string {
  return `{"jsonrpc":"2.0","method":"notifications/${list}/list_changed"}`;
}

/** From now on the session hears on the stream of this exchange, for as long as that is open. */
export function listenOn(
  exchange: Exchange,
  session: Session,
  deps: McpDeps,
  maxUnreadBytes?: number,
): Listener {
  const listener = listenerOf(exchange, session, deps, maxUnreadBytes);
  session.listener = listener;
  exchange.response.once('close', () => {
    if (session.listener === listener) session.listener = null;
    deps.sessions.touch(session);
  });
  return listener;
}

/** DELETE: the client says goodbye. */
export async function endSession(exchange: Exchange, deps: McpDeps): Promise<Result<void, Refused>> {
  const context = await sessionOf(exchange, deps);
  if (!context.ok) return context;
  await deps.sessions.end(context.value.session);
  exchange.empty(204);
  return ok(undefined);
}

function listenerOf(exchange: Exchange, session: Session, deps: McpDeps, maxUnreadBytes?: number): Listener {
  const { response } = exchange;

  /** Who would not be let in any more has heard the last. */
  function hearer(): Hearer | null {
    const now = hearerNow(exchange, deps);
    if (now === null) response.end();
    return now;
  }

  function tell(notification: CallNotification): void {
    say(response, messageEvent(JSON.stringify({ jsonrpc: '2.0', ...notification })), maxUnreadBytes);
  }

  return {
    response,
    hear({ projectId, sourceId, notification }: Announcement): void {
      if (!isWanted(notification, session)) return;
      const told = taskNotification(bearerOf(exchange), sourceId, notification, deps);
      const now = told === null ? null : hearer();
      if (told === null || now?.view.gateway.projectId !== projectId) return;
      const passed = overheard(now, sourceId, told, deps);
      if (passed !== null) tell(passed);
    },
    hearOfUpdate(uri, params): void {
      const now = hearer();
      if (now === null || !mayHearOf(now, uri, deps)) return;
      tell({ method: 'notifications/resources/updated', params: updated(now, uri, params) });
    },
    takeUp(): void {
      takeUp(session, exchange, deps).catch((error) =>
        deps.log.warn({ error: messageOf(error) }, 'the subscriptions of a session were not taken up'),
      );
    },
  };
}

/** The change may be of a part of the resource: then under the name that this gateway has for that. */
function updated({ view }: Hearer, uri: string, params: Members): Members {
  const found = view.findResource(uri);
  const own = typeof params.uri === 'string' ? params.uri : found?.own;
  const shown = found === null || own === undefined ? uri : view.shownUri(found.target.sourceId, own);
  const { _meta, ...rest } = params;
  const { 'io.modelcontextprotocol/subscriptionId': _, ...meta } = (_meta ?? {}) as Members;
  return { ...rest, uri: shown, ...(Object.keys(meta).length === 0 ? {} : { _meta: meta }) };
}

function isWanted({ method, params }: CallNotification, { logLevel, version }: Session): boolean {
  if (ownNotifications.has(method) || mannersOf(version).unheard.has(method)) return false;
  if (method !== 'notifications/message' || logLevel === null) return true;
  const level = logLevels.indexOf(params?.level as LogLevel);
  return level < 0 || level >= logLevels.indexOf(logLevel);
}
