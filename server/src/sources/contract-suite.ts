import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { ProbeStep, Source, SourceReturn } from '#domain';
import { createEgress, type Egress } from '#egress';
import { manualClock, systemClock } from '#foundation';
import { silentLog } from '#telemetry';
import type { CallFailure, SourceConnection, SourceKind } from './contract.ts';
import { callOf, unheard } from './fixtures/dispatched-call.ts';
import type { Mood } from './fixtures/start-server.ts';

/** A server of the kind under test: it offers `Echo`, and answers to moods. */
export interface Counterpart {
  readonly source: Source;
  readonly port: number;
  mood: Mood;
  /** How many calls arrived. */
  arrived(): number;
  /** From now on it lists nothing but entries that cannot be used. */
  listNonsense(): void;
  /** From now on it answers the request for its list with something that is no list. */
  breakList(): void;
  stop(): Promise<void>;
}

export interface KindUnderTest {
  readonly kind: SourceKind;
  readonly start: (port?: number) => Promise<Counterpart>;
  /** The same source with a credential that its server refuses. */
  readonly withWrongCredential: (source: Source) => Source;
  /** What `Echo` returned. */
  readonly textOf: (returned: SourceReturn) => unknown;
}

/** What every kind of source promises. */
export function describeSourceKind(
  name: string,
  { kind, start, withWrongCredential, textOf }: KindUnderTest,
): void {
  describe(name, () => {
    let egress: Egress;
    let server: Counterpart;
    let open: SourceConnection[] = [];

    before(() => {
      egress = createEgress({
        allow: [],
        lookup: async (host) => Promise.reject(new Error(`ENOTFOUND ${host}`)),
      });
    });
    after(() => egress.close());
    beforeEach(async () => {
      server = await start();
    });
    afterEach(async () => {
      for (const connection of open) connection.close();
      open = [];
      await server.stop();
    });

    function connect(source: Source, maxAnswerBytes = 200_000): SourceConnection {
      const deps = { egress, clock: systemClock, log: silentLog, maxAnswerBytes };
      const opened = kind.open(source, deps, unheard);
      assert.ok(opened.ok, opened.ok ? '' : opened.error.message);
      open.push(opened.value);
      return opened.value;
    }

    async function echo(
      connection: SourceConnection,
      given: Parameters<typeof callOf>[1] = {},
    ): Promise<unknown> {
      const returned = await connection.call(callOf('Echo', { args: { text: 'hé' }, ...given }));
      assert.ok(returned.ok, returned.ok ? '' : returned.error.message);
      assert.equal(returned.value.isError, false);
      return textOf(returned.value);
    }

    async function failedCall(connection: SourceConnection, tool = 'Echo'): Promise<CallFailure> {
      const returned = await connection.call(callOf(tool));
      assert.equal(returned.ok, false);
      return (returned as { error: CallFailure }).error;
    }

    async function failsAt(step: ProbeStep, code: string, source: Source): Promise<void> {
      const found = await connect(source).inspect();
      assert.ok(!found.ok);
      assert.deepEqual([found.error.step, found.error.code], [step, code], found.error.message);
      assert.deepEqual(
        found.error.steps.map(({ ok }) => ok),
        found.error.steps.map((_, index, { length }) => index < length - 1),
      );
      assert.equal(found.error.steps.at(-1)?.detail, found.error.message);
    }

    it('lists what the server offers, and gives the very same list while nothing changes', async () => {
      const connection = connect(server.source);
      const first = await connection.inspect();
      const second = await connection.inspect();
      assert.ok(first.ok && second.ok);
      assert.equal(first.value.offer.tools[0]?.name, 'Echo');
      assert.deepEqual(
        first.value.steps.map(({ ok }) => ok),
        [true, true, true, true, true, true],
      );
      assert.equal(first.value.offer, second.value.offer);
    });

    it('runs a tool, without having listed before', async () => {
      assert.equal(await echo(connect(server.source)), 'hé');
    });

    it('says that the host name has no address', () =>
      failsAt('address_resolved', 'source.address_unresolved', {
        ...server.source,
        uri: 'http://nowhere.test/',
      }));

    it('says that the egress policy refuses an internal address that the API registered', () =>
      failsAt('egress_allowed', 'source.address_refused', { ...server.source, origin: 'api' }));

    it('says that nobody listens there', async () => {
      await server.stop();
      await failsAt('connected', 'source.unreachable', server.source);
      assert.equal((await failedCall(connect(server.source))).code, 'source.unreachable');
    });

    it('says that the credential is refused', async () => {
      const source = withWrongCredential(server.source);
      await failsAt('authenticated', 'source.secret_refused', source);
      assert.equal((await failedCall(connect(source))).code, 'source.secret_refused');
    });

    it('says that the list is no list', () => {
      server.breakList();
      return failsAt('tools_fetched', 'source.tool_list_invalid', server.source);
    });

    it('says that nothing in the list can be used', () => {
      server.listNonsense();
      return failsAt('tools_valid', 'source.tool_list_invalid', server.source);
    });

    it('runs the first call after the server was restarted', async () => {
      const connection = connect(server.source);
      await echo(connection);
      await server.stop();
      server = await start(server.port);
      assert.equal(await echo(connection), 'hé');
    });

    it('names what happened to a call: death, garbage, too much', async () => {
      const connection = connect(server.source);
      await connection.inspect();
      const codes: Record<string, string> = {
        die: 'source.interrupted',
        garbage: 'source.answer_invalid',
        huge: 'source.answer_too_large',
      };
      for (const [mood, code] of Object.entries(codes)) {
        server.mood = mood as Mood;
        assert.equal((await failedCall(connection)).code, code, mood);
      }
      assert.equal(server.arrived(), 3, 'a call that arrived is never sent again');
      server.mood = 'well';
      assert.equal(await echo(connection), 'hé');
    });

    it('gives a silent server the time of the source, and no more', async () => {
      const clock = manualClock();
      const slow = createEgress({ allow: [], clock });
      const opened = kind.open(server.source, { egress: slow, clock, log: silentLog }, unheard);
      assert.ok(opened.ok);
      server.mood = 'hang';
      const calling = opened.value.call(callOf('Echo'));
      while (server.arrived() === 0) await setImmediate();
      clock.advance(server.source.timeoutMs + 1000);
      const returned = await calling;
      assert.equal(returned.ok ? '' : returned.error.code, 'source.timeout');
      opened.value.close();
      slow.close();
    });

    it('ends the call when the client goes away', async () => {
      const connection = connect(server.source);
      await connection.inspect();
      server.mood = 'hang';
      const abort = new AbortController();
      const calling = connection.call(callOf('Echo', { signal: abort.signal }));
      while (server.arrived() === 0) await setImmediate();
      abort.abort();
      const returned = await calling;
      assert.equal(returned.ok ? '' : returned.error.code, 'source.cancelled');
    });

    it('refuses an address that is none when it is opened', () => {
      const deps = { egress, clock: systemClock, log: silentLog };
      const opened = kind.open({ ...server.source, uri: 'ftp://x.test' }, deps, unheard);
      assert.equal(opened.ok ? '' : opened.error.step, 'address_resolved');
    });
  });
}
