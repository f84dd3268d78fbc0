import { type RuleTarget, refusal } from '#domain';
import { err, type Members, ok, type Result } from '#foundation';
import type { CallRefusal } from '#pipeline';
import type { Exchange } from '../exchange.ts';
import { type McpDeps, type Refused, refused } from '../front.ts';
import { refusedBy } from '../relay.ts';
import { toldOfUri, unknownResource } from '../resources.ts';
import { paramsInvalid } from '../rpc.ts';
import type { Session, Subscription } from '../sessions/session.ts';
import { type Context, needsSession } from './context.ts';
import { mannersOf } from './manners.ts';

/** Resources that a client wants to hear of: kept with its session, told on its GET stream. */

const maxSubscriptions = 1000;
const maxUriBytes = 2048;
const kind = 'resource_subscribe';

type Outcome = Result<string, Refused>;

/** `resources/subscribe`. */
export async function subscribe(context: Context, { uri }: Members): Promise<Outcome> {
  const { session, exchange, deps, version } = context;
  if (!isKeepable(uri)) return err(invalidUri());
  if (session === null) return err({ ...needsSession('a subscription'), kind });
  const known = session.subscriptions.get(uri);
  if (known !== undefined && known.release !== null) return ok('{}');
  if (known === undefined && session.subscriptions.size >= maxSubscriptions) {
    const full = refusal('session.limit', `a session hears of at most ${maxSubscriptions} resources`);
    return err({ ...refused(full), kind });
  }
  const subscription = known ?? { stored: false, release: null, isTaking: false };
  session.subscriptions.set(uri, subscription);
  const taken = await take(session, uri, subscription, exchange, deps);
  if (!taken.ok) {
    if (!subscription.stored && subscription.release === null) drop(session, uri, subscription);
    const manners = mannersOf(version);
    return err(toldOfUri(refusedBy(taken.error, deps, manners), uri, manners));
  }
  if (!subscription.stored) await keep(session, uri, subscription, deps);
  return ok('{}');
}

/** `resources/unsubscribe`; one that never was is none afterwards either. */
export async function unsubscribe({ session, deps }: Context, { uri }: Members): Promise<Outcome> {
  if (!isKeepable(uri)) return err(invalidUri());
  if (session === null) return err({ ...needsSession('a subscription'), kind });
  const subscription = session.subscriptions.get(uri);
  if (subscription === undefined) return ok('{}');
  if (subscription.stored) await deps.sessions.forgetSubscription(session, uri);
  drop(session, uri, subscription);
  return ok('{}');
}

async function keep(session: Session, uri: string, subscription: Subscription, deps: McpDeps): Promise<void> {
  try {
    await deps.sessions.keepSubscription(session, uri);
    subscription.stored = true;
  } catch (error) {
    drop(session, uri, subscription);
    throw error;
  }
  const isWanted = session.isOver || session.subscriptions.get(uri) === subscription;
  if (!isWanted) await deps.sessions.forgetSubscription(session, uri);
}

/** Asks the sources for what nobody there knows of yet: after a restart, or from another replica. */
export async function takeUp(session: Session, exchange: Exchange, deps: McpDeps): Promise<void> {
  for (const [uri, subscription] of session.subscriptions) {
    if (session.isOver || session.listener?.response !== exchange.response) return;
    if (subscription.release !== null || subscription.isTaking) continue;
    subscription.isTaking = true;
    await take(session, uri, subscription, exchange, deps).finally(() => {
      subscription.isTaking = false;
    });
  }
}

async function take(
  session: Session,
  uri: string,
  subscription: Subscription,
  { caller, view: { gateway }, startedAt }: Exchange,
  deps: McpDeps,
): Promise<Result<void, CallRefusal>> {
  // A stream may be older than what the gateway shows.
  const permitted = (target: RuleTarget) => deps.pipeline.permits(caller, gateway, target);
  const found = deps.catalog.view(gateway.slug)?.findResource(uri, permitted) ?? null;
  const outcome = await deps.pipeline.subscribe({
    caller,
    startedAt,
    gateway,
    name: uri,
    target: found?.target ?? null,
    unknown: unknownResource(uri, 'params.uri'),
    uri: found?.own ?? uri,
    conversation: session.id,
    onUpdated: (params) => session.listener?.hearOfUpdate(uri, params),
  });
  if (!outcome.ok) return outcome;
  const isWanted = !session.isOver && session.subscriptions.get(uri) === subscription;
  if (isWanted && subscription.release === null) subscription.release = outcome.value;
  else outcome.value();
  return ok(undefined);
}

function drop(session: Session, uri: string, subscription: Subscription): void {
  if (session.subscriptions.get(uri) === subscription) session.subscriptions.delete(uri);
  subscription.release?.();
  subscription.release = null;
}

/** The database holds no text with a NUL in it. */
function isKeepable(uri: unknown): uri is string {
  return (
    typeof uri === 'string' && uri !== '' && Buffer.byteLength(uri) <= maxUriBytes && !uri.includes('\0')
  );
}

function invalidUri(): Refused {
  const problem = `must be the URI of a resource, of at most ${maxUriBytes} bytes`;
  return { ...refused(paramsInvalid('params.uri', problem)), kind };
}
