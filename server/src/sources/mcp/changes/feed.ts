import type { DispatchedSubscription } from '#domain';
import { err, isMembers, type Members, ok, type Result } from '#foundation';
import type { CallFailure } from '../../contract.ts';
import { failureOf } from '../../failure.ts';
import { rpcFailure, sessionLost } from '../ask.ts';
import { authorizationOf, conversationKey, type Owner, silentOwner, userKey } from '../capabilities.ts';
import type { Link, Place } from '../link.ts';
import type { Lease, Session } from '../sessions.ts';
import { nextId } from '../transports/exchange.ts';
import { type ModernStream, openModernStream } from './modern-stream.ts';

/** What kind of things one hears of, and how the modern era speaks of them. */
export interface Topic {
  readonly wanted: 'resourceSubscriptions' | 'taskIds';
  readonly told: string;
  /** The member that names the thing. */
  readonly named: 'uri' | 'taskId';
}

export const resources: Topic = {
  wanted: 'resourceSubscriptions',
  told: 'notifications/resources/updated',
  named: 'uri',
};
export const tasks: Topic = { wanted: 'taskIds', told: 'notifications/tasks', named: 'taskId' };

/** Where one owner hears of things, as long as that place lasts: a session, or a stream of the modern era. */
export interface Feed {
  /** Makes these, by URI or id, what is heard of; returns those that the server refuses. */
  want(names: readonly string[]): Promise<Result<Refused, CallFailure>>;
  /** Resolves when nothing more will be heard there. */
  readonly ended: Promise<void>;
  close(): void;
}

export type Refused = ReadonlyMap<string, CallFailure>;

export interface FeedOptions {
  readonly topic: Topic;
  readonly link: Link;
  readonly timeoutMs: number;
  readonly onUpdated: (params: Members) => void;
}

/** One that the conversation has opened for its calls, or one of its own where it has none yet. */
export function subscriberOf(
  { conversation, credential, ...forUser }: DispatchedSubscription,
  link: Link,
): Owner {
  const user = userKey(forUser);
  const authorization = authorizationOf(credential);
  if (conversation === null) return { ...silentOwner(`${user} `, authorization), user };
  const known = link.find(conversationKey(conversation));
  return known?.owner ?? { ...silentOwner(subscriberKey(conversation), authorization), user };
}

export const subscriberKey = (conversation: string): string => `subscriber ${conversation}`;

export async function openFeed(owner: Owner, options: FeedOptions): Promise<Result<Feed, CallFailure>> {
  const place = await options.link.place(owner);
  if (!place.ok) return place;
  return place.value.era === 'modern'
    ? ok(modernFeed(place.value, owner.bearer.line, options))
    : ok(await legacyFeed(place.value.lease, options));
}

/** One stream for all; another one takes its place when what is wanted changes, so that nothing is missed in between. */
function modernFeed(
  { line, lease }: Extract<Place, { era: 'modern' }>,
  authorization: string,
  { topic, timeoutMs, onUpdated }: FeedOptions,
): Feed {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let stream: ModernStream | null = null;
  let isClosed = false;

  function close(): void {
    if (isClosed) return;
    isClosed = true;
    stream?.close();
    lease?.release();
    end();
  }

  return {
    ended,
    close,
    async want(names) {
      const wanted = { [topic.wanted]: names };
      const opened = await openModernStream(line, authorization, wanted, timeoutMs, (method, params) => {
        if (method === topic.told && params !== undefined) onUpdated(params);
      });
      if (!opened.ok) return opened;
      const before = stream;
      stream = opened.value;
      before?.close();
      if (isClosed) stream.close();
      const mine = stream;
      void mine.ended.then(() => {
        if (stream === mine) close();
      });
      const { [topic.wanted]: heard } = stream.honoured;
      const told = new Set(Array.isArray(heard) ? heard : []);
      return ok(refusing(names.filter((name) => !told.has(name))));
    },
  };
}

function refusing(names: readonly string[]): Refused {
  const step = 'tools_fetched';
  const code = 'source.request_failed';
  return new Map(
    names.map((name) => [
      name,
      { code, message: `the server does not tell of changes of ${name.slice(0, 200)}`, step },
    ]),
  );
}

async function legacyFeed(lease: Lease, { topic, link, timeoutMs, onUpdated }: FeedOptions): Promise<Feed> {
  const { session } = lease;
  const { resources: declared } = session.offer.capabilities;
  const subscribes = topic === resources && isMembers(declared) && declared.subscribe === true;
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const subscribed = new Set<string>();
  const unheard = session.hearing.follow({ onUpdated, onEnd: close });
  let isClosed = false;
  await session.hearing.start();

  function close(): void {
    if (isClosed) return;
    isClosed = true;
    unheard();
    lease.release();
    end();
  }

  return {
    ended,
    close() {
      for (const uri of isClosed ? [] : subscribed) leave(session, uri, timeoutMs);
      close();
    },
    async want(uris) {
      if (!subscribes) return ok(refusing(uris));
      const wanted = new Set(uris);
      for (const uri of subscribed) {
        if (wanted.has(uri)) continue;
        subscribed.delete(uri);
        leave(session, uri, timeoutMs);
      }
      const refused = new Map<string, CallFailure>();
      for (const uri of uris.filter((one) => !subscribed.has(one))) {
        const answer = await join(session, uri, timeoutMs);
        if (answer.ok) subscribed.add(uri);
        else if (answer.error.rpc !== undefined) refused.set(uri, answer.error);
        else {
          if (answer.error.code === 'source.waiting_lost') link.lost(session);
          close();
          return answer;
        }
      }
      return ok(refused);
    },
  };
}

/** How many feeds of a session hear of each resource: one process may serve several users. */
const counts = new WeakMap<Session, Map<string, number>>();

/** How many there are then. */
function count(session: Session, uri: string, more: 1 | -1): number {
  const known = counts.get(session) ?? new Map<string, number>();
  const now = (known.get(uri) ?? 0) + more;
  counts.set(session, known.set(uri, now));
  if (now === 0) known.delete(uri);
  return now;
}

/** Counted before it is asked for, or who leaves meanwhile would take it away. */
async function join(session: Session, uri: string, timeoutMs: number): Promise<Result<void, CallFailure>> {
  count(session, uri, 1);
  const answer = await change(session, 'resources/subscribe', uri, timeoutMs);
  if (!answer.ok) count(session, uri, -1);
  return answer;
}

/** The last one who hears of it says so. */
function leave(session: Session, uri: string, timeoutMs: number): void {
  if (count(session, uri, -1) === 0) void change(session, 'resources/unsubscribe', uri, timeoutMs);
}

async function change(
  { line, ...head }: Session,
  method: 'resources/subscribe' | 'resources/unsubscribe',
  uri: string,
  timeoutMs: number,
): Promise<Result<void, CallFailure>> {
  const id = nextId();
  const body = JSON.stringify({ jsonrpc: '2.0', id, method, params: { uri } });
  const step = 'tools_fetched';
  const headers = head.bearer?.line ?? '';
  const request = { id, body, headers, timeoutMs, signal: null, harmless: true, onMessage: null };
  const reply = await line.request(request, head);
  if (!reply.ok) return err(failureOf(reply.error, step));
  if (reply.value.kind === 'result') return ok(undefined);
  if (sessionLost(reply.value))
    return err({ code: 'source.waiting_lost', message: 'the session is gone', step });
  if (reply.value.kind === 'error') {
    return err({ ...rpcFailure(reply.value.error, { method, step }), code: 'source.request_failed' });
  }
  const message = `the server answered ${method} with HTTP ${reply.value.status}: ${reply.value.why}`;
  return err({ code: 'source.answer_invalid', message, step });
}
