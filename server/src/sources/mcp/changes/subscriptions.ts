import type { DispatchedSubscription } from '#domain';
import { type Clock, err, type Members, ok, type Result } from '#foundation';
import type { CallFailure } from '../../contract.ts';
import { userKey } from '../capabilities.ts';
import type { Link } from '../link.ts';
import { type Feed, openFeed, type Refused, resources, subscriberOf, type Topic, tasks } from './feed.ts';

/** Who hears of which resources and tasks of one server. */
export interface Subscriptions {
  /** Until the returned function is called; across restarts of the server. Fails where the server refuses at once. */
  subscribe(wish: DispatchedSubscription): Promise<Result<() => void, CallFailure>>;
  endConversation(conversation: string): void;
  close(): void;
}

export interface SubscriptionsOptions {
  readonly link: Link;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

type OnUpdated = DispatchedSubscription['onUpdated'];

const maxPerOwner = 1000;
const maxOwners = 5000;

/** Each owner, a conversation or a user, has one place where it hears of all its resources, and one for its tasks. */
export function createSubscriptions({ link, clock, timeoutMs }: SubscriptionsOptions): Subscriptions {
  const followings = new Map<string, Following>();

  function followingOf(wish: DispatchedSubscription): Following | null {
    const key = keyOf(wish);
    const known = followings.get(key);
    if (known !== undefined || followings.size >= maxOwners) return known ?? null;
    const open = (onUpdated: (params: Members) => void) =>
      openFeed(subscriberOf(wish, link), { topic: topicOf(wish), link, timeoutMs, onUpdated });
    const following = createFollowing(topicOf(wish), open, clock, () => {
      if (followings.get(key) === following) followings.delete(key);
    });
    followings.set(key, following);
    return following;
  }

  return {
    async subscribe(wish) {
      const name = wish.uri ?? wish.taskId;
      return followingOf(wish)?.add(name, wish.onUpdated) ?? err(tooMany);
    },
    endConversation(conversation) {
      followings.get(conversationOf(conversation))?.close();
    },
    close() {
      for (const following of followings.values()) following.close();
    },
  };
}

const conversationOf = (conversation: string) => `conversation ${conversation}`;

/** What a client of the modern era hears of tasks is on a stream of its own. */
function keyOf(wish: DispatchedSubscription): string {
  const { conversation } = wish;
  if (conversation !== null) return conversationOf(conversation);
  return wish.uri === undefined ? `tasks of ${userKey(wish)}` : userKey(wish);
}

function topicOf(wish: DispatchedSubscription): Topic {
  return wish.uri === undefined ? tasks : resources;
}

const tooMany: CallFailure = {
  code: 'source.request_failed',
  message: `there are too many subscriptions to things of this source already`,
  step: 'tools_fetched',
};

/** What one owner hears of. */
interface Following {
  add(uri: string, onUpdated: OnUpdated): Promise<Result<() => void, CallFailure>>;
  close(): void;
}

const firstPauseMs = 1000;
const longestPauseMs = 5 * 60_000;
/** A feed that lasted this long was well. */
const wellMs = 30_000;

function createFollowing(
  topic: Topic,
  open: (onUpdated: (params: Members) => void) => Promise<Result<Feed, CallFailure>>,
  clock: Clock,
  onIdle: () => void,
): Following {
  const wanted = new Map<string, Set<OnUpdated>>();
  let feed: Feed | null = null;
  let turn: Promise<unknown> = Promise.resolve();
  /** The sync that has not begun yet. */
  let next: Promise<Result<Refused, CallFailure>> | null = null;
  let pauseMs = firstPauseMs;
  let stopPause = () => {};
  let isClosed = false;

  function tell(params: Members): void {
    const name = params[topic.named];
    if (typeof name !== 'string') return;
    for (const [known, listeners] of wanted) {
      const isMeant = name === known || (topic === resources && concerns(name, known));
      if (isMeant) for (const listener of listeners) listener(params);
    }
  }

  /** Makes the feed what is wanted, and tries again where that fails; once for all who want something meanwhile. */
  function sync(): Promise<Result<Refused, CallFailure>> {
    next ??= turn.then(async () => {
      next = null;
      const synced = await syncNow();
      if (!synced.ok) again();
      return synced;
    });
    turn = next;
    return next;
  }

  async function syncNow(): Promise<Result<Refused, CallFailure>> {
    if (isClosed || wanted.size === 0) {
      close();
      return ok(new Map());
    }
    stopPause();
    if (feed === null) {
      const opened = await open(tell);
      if (!opened.ok) return opened;
      feed = opened.value;
      void watch(opened.value);
    }
    if (isClosed) feed.close();
    return feed.want([...wanted.keys()]);
  }

  async function watch(opened: Feed): Promise<void> {
    const openedMs = clock.monotonic();
    await opened.ended;
    if (feed === opened) feed = null;
    if (clock.monotonic() - openedMs >= wellMs) pauseMs = firstPauseMs;
    again();
  }

  function again(): void {
    if (isClosed) return;
    stopPause();
    stopPause = clock.every(pauseMs, () => {
      stopPause();
      void sync();
    });
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }

  function remove(uri: string, listener: OnUpdated): void {
    const listeners = wanted.get(uri);
    if (listeners?.delete(listener) !== true || listeners.size > 0) return;
    wanted.delete(uri);
    void sync();
  }

  function close(): void {
    if (isClosed) return;
    isClosed = true;
    stopPause();
    feed?.close();
    onIdle();
  }

  return {
    close,
    async add(uri, onUpdated) {
      if (wanted.size >= maxPerOwner && !wanted.has(uri)) return err(tooMany);
      // Of its own, so that the same function may be given twice.
      const listener: OnUpdated = (params) => onUpdated(params);
      const listeners = wanted.get(uri) ?? new Set();
      wanted.set(uri, listeners.add(listener));
      const synced = await sync();
      const refused = synced.ok ? synced.value.get(uri) : synced.error;
      if (refused === undefined) return ok(() => remove(uri, listener));
      remove(uri, listener);
      return err(refused);
    },
  };
}

/** The URI of an update may be that of a part of what was subscribed to. */
function concerns(uri: string, subscribed: string): boolean {
  if (!uri.startsWith(subscribed)) return false;
  return subscribed.endsWith('/') || '/?#'.includes(uri[subscribed.length] ?? '');
}
