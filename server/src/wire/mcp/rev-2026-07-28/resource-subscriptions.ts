import type { Members } from '#foundation';
import type { Exchange } from '../exchange.ts';
import type { McpDeps } from '../front.ts';
import { hearerNow, mayHearOf } from '../hearing.ts';
import { unknownResource } from '../resources.ts';
import { hearOf } from './subscriptions.ts';

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
  const { names, begin } = await hearOf(
    exchange,
    asked,
    {
      subscribe: (uri, onUpdated) => subscribe(exchange, uri, onUpdated, deps),
      told(uri, params) {
        const hearer = hearerNow(exchange, deps);
        if (hearer === null || !mayHearOf(hearer, uri, deps)) return null;
        return { method: 'notifications/resources/updated', params: { ...params, uri } };
      },
    },
    subscription,
    deps,
  );
  return { uris: names, begin };
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
