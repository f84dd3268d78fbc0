import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { beforeEach, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { refusal } from '#domain';
import { err, type Members, ok } from '#foundation';
import type { Pipeline } from '#pipeline';
import type { Exchange } from '../exchange.ts';
import type { McpDeps } from '../front.ts';
import { subscribeAll } from './resource-subscriptions.ts';

type Asked = Parameters<Pipeline['subscribe']>[0];

describe('subscriptions of a listener', () => {
  const response = Object.assign(new EventEmitter(), { destroyed: false });
  let asked: Asked[];
  /** Those that are under way, by URI. */
  let held: Set<string>;
  let said: Members[];
  /** What a source takes to answer. */
  let answer: Promise<void>;

  const view = {
    gateway: { slug: 'gw' },
    findResource: (uri: string) => ({ target: {}, own: `own ${uri}` }),
  };
  const exchange = {
    response,
    request: { headers: {} },
    caller: { userId: 'alice' },
    view,
    notify: (notification: Members) => said.push(notification),
  } as unknown as Exchange;
  const deps = {
    catalog: { view: () => view },
    streams: { whileWaiting: () => () => {} },
    pipeline: {
      stillThere: () => ok({}),
      permits: () => true,
      async subscribe(subscription: Asked) {
        asked.push(subscription);
        await answer;
        if (subscription.name === 'refused') return err(refusal('source.request_failed', 'no'));
        held.add(subscription.name);
        return ok(() => held.delete(subscription.name));
      },
    },
  } as unknown as McpDeps;
  const subscribe = (...uris: string[]) => subscribeAll(exchange, uris, { 'of/us': 1 }, deps);
  function close(): void {
    response.destroyed = true;
    response.emit('close');
  }

  beforeEach(() => {
    response.destroyed = false;
    response.removeAllListeners();
    [asked, held, said, answer] = [[], new Set(), [], Promise.resolve()];
  });

  it('are asked for once each, under the URIs of the source, and leave out what is refused', async () => {
    const { uris } = await subscribe('a', 'refused', 'b', 'a');
    assert.deepEqual(uris, ['a', 'b']);
    assert.deepEqual(
      asked.map((one) => ('uri' in one ? one.uri : null)),
      ['own a', 'own refused', 'own b'],
    );
  });

  it('end with its stream, also those that were still being asked for', async () => {
    await subscribe('a', 'b');
    assert.equal(held.size, 2);
    close();
    assert.equal(held.size, 0);

    response.destroyed = false;
    const { promise, resolve } = Promise.withResolvers<void>();
    answer = promise;
    const many = Array.from({ length: 100 }, (_, index) => `${index}`);
    const subscribing = subscribe(...many);
    await setImmediate();
    close();
    resolve();
    assert.deepEqual((await subscribing).uris.length < many.length, true);
    assert.equal(held.size, 0);
    assert.ok(asked.length < many.length, 'nothing more is asked for');
  });

  it('say what changed before it was said that they are there, once and afterwards', async () => {
    const subscriptions = await subscribe('a');
    asked[0]?.onUpdated({ uri: 'own a', 'vendor/x': 1 });
    asked[0]?.onUpdated({ uri: 'own a', 'vendor/x': 2 });
    assert.deepEqual(said, []);
    subscriptions.begin();
    const params = { uri: 'a', 'vendor/x': 2, _meta: { 'of/us': 1 } };
    assert.deepEqual(said, [{ method: 'notifications/resources/updated', params }]);
  });

  it('are told under their own subscription, whatever that of the source is', async () => {
    const subscriptions = await subscribe('a');
    subscriptions.begin();
    asked[0]?.onUpdated({ uri: 'own a', _meta: { 'of/us': 'upstream', 'vendor/x': 1 } });
    const [{ params }] = said as [{ params: Members }];
    assert.deepEqual(params._meta, { 'of/us': 1, 'vendor/x': 1 });
  });
});
