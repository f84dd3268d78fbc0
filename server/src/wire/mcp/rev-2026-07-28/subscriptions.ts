import type { CallNotification } from '#domain';
import type { Members } from '#foundation';
import type { Exchange } from '../exchange.ts';
import type { McpDeps } from '../front.ts';

/** Sources are asked for so many subscriptions of one client at a time. */
const atOnce = 20;

/** Things of one kind that a client can hear of, each under the name that the client has for it. */
export interface Topic {
  /** `null`: it will not be told of. Otherwise the function that ends it. */
  subscribe(name: string, onUpdated: (params: Members) => void): Promise<(() => void) | null>;
  /** What the client is told of a change; `null` where it may not hear of it any more. */
  told(name: string, params: Members): CallNotification | null;
}

export interface Subscriptions {
  /** Those of the things asked for that will be told of. */
  readonly names: readonly string[];
  /** Tells of changes from now on, those since the subscription included. */
  begin(): void;
}

/** Hears of changes of these things until the client's stream closes. */
export async function hearOf(
  exchange: Exchange,
  asked: readonly string[],
  topic: Topic,
  subscription: Members,
  deps: McpDeps,
): Promise<Subscriptions> {
  const { response } = exchange;
  const releases: (() => void)[] = [];
  const releaseAll = () => {
    for (const release of releases.splice(0)) release();
  };
  response.once('close', releaseAll);
  const early = new Map<string, Members>();
  let hasBegun = false;

  function tell(name: string, params: Members): void {
    if (!hasBegun) {
      early.set(name, params);
      return;
    }
    const told = topic.told(name, params);
    if (told === null) return;
    const _meta = { ...(told.params?._meta as Members | undefined), ...subscription };
    exchange.notify({ ...told, params: { ...told.params, _meta } });
  }

  const names = [...new Set(asked)];
  const honoured = new Set<string>();
  const stopWaiting = deps.streams.whileWaiting(() => exchange.keepAlive());
  for (let at = 0; at < names.length && !response.destroyed; at += atOnce) {
    const some = names.slice(at, at + atOnce).map(async (name) => {
      const release = await topic.subscribe(name, (params) => tell(name, params));
      if (release === null) return;
      honoured.add(name);
      releases.push(release);
    });
    await Promise.all(some);
  }
  stopWaiting();
  if (response.destroyed) releaseAll();
  return {
    names: names.filter((name) => honoured.has(name)),
    begin() {
      hasBegun = true;
      for (const [name, params] of early) tell(name, params);
      early.clear();
    },
  };
}
