import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { DispatchedSubscription } from '#domain';
import { createEgress, type Egress } from '#egress';
import { manualClock } from '#foundation';
import { silentLog } from '#telemetry';
import { type EraServer, startEraServer } from '../../../../test/era-server.ts';
import type { SourceConnection } from '../../contract.ts';
import { legacyClient } from '../../fixtures/asked-client.ts';
import { callOf, sourceOf, unheard } from '../../fixtures/dispatched-call.ts';
import { mcpKind } from '../mcp.ts';

const uri = 'test://text';

for (const era of ['legacy', 'modern'] as const) {
  describe(`a subscription to a resource of a server of the ${era} era`, () => {
    const stops: (() => unknown)[] = [];
    let egress: Egress;
    let clock: ReturnType<typeof manualClock>;
    let server: EraServer;
    let connection: SourceConnection;

    beforeEach(async () => {
      egress = createEgress({ allow: [] });
      clock = manualClock();
      server = await startEraServer(era);
      const source = sourceOf({ kind: 'mcp', uri: server.uri });
      const opened = mcpKind.open(source, { egress, clock, log: silentLog }, unheard);
      assert.ok(opened.ok);
      connection = opened.value;
      stops.push(
        () => egress.close(),
        () => server.close(),
        () => opened.value.close(),
      );
    });
    afterEach(async () => {
      for (const stop of stops.splice(0).reverse()) await stop();
    });

    async function subscribe(given: Partial<Extract<DispatchedSubscription, { uri: string }>> = {}) {
      const heard: unknown[] = [];
      const got = await connection.subscribe?.({
        projectId: 'default',
        sourceId: 'under-test',
        userId: 'a',
        conversation: null,
        uri,
        onUpdated: (params) => heard.push(params.uri),
        ...given,
      });
      assert.ok(got?.ok, got && !got.ok ? got.error.message : '');
      return { heard, end: got.value };
    }

    async function until(holds: () => boolean): Promise<void> {
      while (!holds()) await setImmediate();
    }

    const askedFor = (method: string) => server.heard.filter(({ message }) => message.method === method);

    it('hears of that resource and of no other, each time', async () => {
      const { heard } = await subscribe();
      server.updateResource('test://blob');
      server.updateResource(uri);
      server.updateResource(uri);
      await until(() => heard.length >= 2);
      assert.deepEqual(heard, [uri, uri]);
    });

    it('is shared by those of one owner, and lasts until the last one leaves', async () => {
      const [first, second] = [await subscribe(), await subscribe()];
      first.end();
      server.updateResource(uri);
      await until(() => second.heard.length > 0);
      assert.equal(first.heard.length, 0);
      const method = era === 'legacy' ? 'resources/subscribe' : 'subscriptions/listen';
      assert.ok(askedFor(method).length <= (era === 'legacy' ? 1 : 2));
      if (era === 'legacy') {
        const left = once(server.events, 'unsubscribed');
        second.end();
        assert.deepEqual(await left, [uri]);
      }
    });

    it('of one owner is not another one’s', async () => {
      const mine = await subscribe();
      const theirs = await subscribe({ userId: 'b' });
      mine.end();
      server.updateResource(uri);
      await until(() => theirs.heard.length > 0);
      assert.equal(mine.heard.length, 0);
    });

    it('to another resource beside it takes nothing away from it', async () => {
      const first = await subscribe();
      const second = await subscribe({ uri: 'test://blob' });
      server.updateResource(uri);
      server.updateResource('test://blob');
      await until(() => first.heard.length > 0 && second.heard.length > 0);
      second.end();
      await setImmediate();
      server.updateResource(uri);
      await until(() => first.heard.length > 1);
    });

    it('is made again by itself when the server was restarted', async () => {
      const { heard } = await subscribe();
      const { port } = new URL(server.uri);
      await server.close();
      server = await startEraServer(era, Number(port));
      let isThere = false;
      server.events.on('subscribed', () => {
        isThere = true;
      });
      while (!isThere) {
        clock.advance(1000);
        for (let round = 0; round < 20; round++) await setImmediate();
      }
      await setImmediate();
      server.updateResource(uri);
      await until(() => heard.length > 0);
      assert.deepEqual(heard, [uri]);
    });

    if (era === 'legacy') {
      it('belongs to the session of its conversation, and ends with it', async () => {
        await connection.call(callOf('Echo', { client: legacyClient({ conversation: 'one' }) }));
        const { heard } = await subscribe({ conversation: 'one' });
        server.updateResource(uri);
        await until(() => heard.length > 0);
        assert.equal(askedFor('initialize').length, 1);
        connection.endConversation?.('one');
        await setImmediate();
        server.updateResource(uri);
        await connection.call(callOf('Echo'));
        assert.deepEqual(heard, [uri]);
      });
    }
  });
}
