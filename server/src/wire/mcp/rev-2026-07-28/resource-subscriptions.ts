import type { Members } from '#foundation';
import type { Exchange } from '../exchange.ts';
import type { McpDeps } from '../front.ts';
import { hearerNow, mayHearOf } from '../hearing.ts';
import { unknownResource } from '../resources.ts';

/** Sources are asked for so many subscriptions of one client at a time. */
const atOnce = 20;

interface Subscriptions {
  /** Those of the resources asked for that will be told of. */
  readonly uris: readonly string[];
  /** Tells of changes from now on, those since the subscription included. */
  begin(): void;
}

/** Hears of changes of these resources until the client's stream closes. */
export async function subscribeAll(
  exchange: Exchange,
  asked: readonly string[],
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

  function tell(uri: string, params: Members): void {
    if (!hasBegun) early.set(uri, params);
    else if (mayHear(uri)) {
      const _meta = { ...(params._meta as Members | undefined), ...subscription };
      exchange.notify({ method: 'notifications/resources/updated', params: { ...params, uri, _meta } });
    }
  }

  function mayHear(uri: string): boolean {
    const hearer = hearerNow(exchange, deps);
    return hearer !== null && mayHearOf(hearer, uri, deps);
  }

  const uris = [...new Set(asked)];
  const honoured = new Set<string>();
  const stopWaiting = deps.streams.whileWaiting(() => exchange.keepAlive());
  for (let at = 0; at < uris.length && !response.destroyed; at += atOnce) {
    const some = uris.slice(at, at + atOnce).map(async (uri) => {
      const release = await subscribe(exchange, uri, (params) => tell(uri, params), deps);
      if (release === null) return;
      honoured.add(uri);
      releases.push(release);
    });
    await Promise.all(some);
  }
  stopWaiting();
  if (response.destroyed) releaseAll();
  return {
    uris: uris.filter((uri) => honoured.has(uri)),
    begin() {
      hasBegun = true;
      for (const [uri, params] of early) tell(uri, params);
      early.clear();
    },
  };
}

async function subscribe(
  { caller, view, startedAt }: Exchange,
  uri: string,
  onUpdated: (params: Members) => void,
  { pipeline }: McpDeps,
): Promise<(() => void) | null> {
  const found = view.findResource(uri, (target) => pipeline.permits(caller, view.gateway, target));
  const outcome = await pipeline.subscribe({
    caller,
    startedAt,
    gateway: view.gateway,
    name: uri,
    target: found?.target ?? null,
    unknown: unknownResource(uri, 'params.notifications.resourceSubscriptions'),
    uri: found?.own ?? uri,
    conversation: null,
    onUpdated,
  });
  return outcome.ok ? outcome.value : null;
}
