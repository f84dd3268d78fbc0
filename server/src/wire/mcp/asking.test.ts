import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Caller, InputAnswer, InputRequest } from '#domain';
import { type Members, manualClock } from '#foundation';
import { capabilitiesIn, createAsking } from './asking.ts';
import { Exchange } from './exchange.ts';
import type { LegacyVersion } from './rev-2025-11-25/versions.ts';
import { Session } from './sessions/session.ts';

const elicitation: InputRequest = {
  method: 'elicitation/create',
  params: { mode: 'form', message: 'Your name?', requestedSchema: { type: 'object', properties: {} } },
};
const all = { elicitation: { form: {}, url: {} }, sampling: { tools: {} }, roots: {} };
const never = new AbortController().signal;

describe('asking a client', () => {
  const server = createServer();
  const clock = manualClock();
  const asking = createAsking(clock);
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => {
    asking.close();
    server.closeAllConnections();
    server.close();
  });

  function sessionOf(capabilities: Members = all, version: LegacyVersion = '2025-11-25'): Session {
    const issued = {
      id: 's',
      issuedAtMs: 0,
      version,
      capabilities: JSON.stringify(capabilities),
      clientName: '',
    };
    const caller = { principal: { id: 'key_1' }, userId: 'alice' } as Caller;
    return new Session('sealed', issued, caller, 'gw_1', 0);
  }

  /** A POST of a client: our side of it, and what the client hears. */
  async function post(accept = 'application/json, text/event-stream') {
    const arrived = once(server, 'request');
    const { port } = server.address() as AddressInfo;
    const leaving = new AbortController();
    const answer = fetch(`http://127.0.0.1:${port}`, {
      method: 'POST',
      headers: { accept },
      signal: leaving.signal,
    });
    answer.catch(() => {});
    const [request, response] = (await arrived) as [IncomingMessage, ServerResponse];
    const exchange = new Exchange(request, response, {} as never, {} as never, 0);
    async function* messages(): AsyncGenerator<Members> {
      let text = '';
      for await (const chunk of (await answer).body as ReadableStream<Uint8Array>) {
        text += Buffer.from(chunk).toString();
        const events = text.split('\n\n');
        text = events.pop() as string;
        for (const event of events) yield JSON.parse(event.slice(event.indexOf('data: ') + 6));
      }
    }
    const heard = messages();
    const next = async () => (await heard.next()).value as Members;
    return { exchange, answer, next, leave: () => leaving.abort() };
  }

  /** Asks, and says what the client got and what it is to be answered with. */
  async function asked(session: Session, request: InputRequest) {
    const { exchange, next } = await post();
    const answer = asking.ask(session, exchange, request, never);
    const question = await next();
    session.questions.get(question.id as string)?.settle({ result: {} });
    await answer;
    exchange.answer(200, '{}');
    return question;
  }

  async function refused(session: Session | null, request: InputRequest, accept?: string) {
    const { exchange, answer } = await post(accept);
    const told = await asking.ask(session, exchange, request, never);
    assert.ok('error' in told);
    exchange.answer(200, '"done"');
    // Nothing was said before the answer.
    assert.equal(await (await answer).text(), '"done"');
    return told.error;
  }

  test('the question goes out on the stream of its request, and the answer comes back as it was given', async () => {
    const session = sessionOf();
    const { exchange, next } = await post();
    const answer = asking.ask(session, exchange, elicitation, never);
    const { id, ...question } = await next();
    assert.deepEqual(question, { jsonrpc: '2.0', ...elicitation });
    const given = { result: { action: 'accept', content: { name: 'Ann' }, 'x-more': [1] } };
    session.questions.get(id as string)?.settle(given);
    assert.equal(await answer, given);
    assert.equal(session.questions.size, 0);
    exchange.answer(200, '{"id":1}');
    assert.deepEqual(await next(), { id: 1 });
  });

  test('nobody waits for an answer once the server stops, and nobody is asked any more', async () => {
    const stopping = createAsking(clock);
    const session = sessionOf();
    const { exchange, next } = await post();
    const answer = stopping.ask(session, exchange, elicitation, never);
    const { id } = await next();
    stopping.close();
    assert.deepEqual(await answer, { error: { code: -32000, message: 'the server stops' } });
    const { method, params } = await next();
    assert.deepEqual(
      [method, params],
      ['notifications/cancelled', { requestId: id, reason: 'the server stops' }],
    );
    const told = await stopping.ask(session, exchange, elicitation, never);
    assert.ok('error' in told);
    assert.equal(session.questions.size, 0);
    exchange.answer(200, '{}');
  });

  test('questions of several requests at once each get their own answer', async () => {
    const session = sessionOf();
    const asks = [];
    for (const number of [1, 2, 3]) {
      const { exchange, next } = await post();
      const request = { method: 'roots/list', params: { number } } as const;
      const answer = asking.ask(session, exchange, request, never);
      const { id, params } = await next();
      assert.deepEqual(params, { number });
      asks.push({ exchange, answer, id: id as string, number });
    }
    assert.equal(new Set(asks.map(({ id }) => id)).size, 3);
    for (const { id, number } of asks.toReversed()) session.questions.get(id)?.settle({ result: { number } });
    for (const { answer, number } of asks) assert.deepEqual(await answer, { result: { number } });
    for (const { exchange } of asks) exchange.answer(200, '{}');
  });

  test('what the client does not declare is never asked', async () => {
    const cases: [Members, InputRequest][] = [
      [{}, elicitation],
      [{}, { method: 'roots/list' }],
      [{ elicitation: {} }, { method: 'sampling/createMessage', params: {} }],
      [{ elicitation: {} }, { method: 'elicitation/create', params: { mode: 'url' } }],
      [{ elicitation: { url: {} } }, elicitation],
      [{ sampling: {} }, { method: 'sampling/createMessage', params: { tools: [] } }],
    ];
    for (const [capabilities, request] of cases) {
      const { code } = await refused(sessionOf(capabilities), request);
      assert.ok([-32601, -32602].includes(code), JSON.stringify(capabilities));
    }
  });

  test('a client without a session, or one that takes no stream, is not asked', async () => {
    assert.equal((await refused(null, elicitation)).code, -32601);
    assert.equal((await refused(sessionOf(), elicitation, 'application/json')).code, -32000);
  });

  test('a client of before 2025-11-25 is asked in the words that it knows', async () => {
    const { params } = await asked(sessionOf(capabilitiesIn('2025-06-18', all), '2025-06-18'), elicitation);
    assert.deepEqual(params, { message: 'Your name?', requestedSchema: { type: 'object', properties: {} } });
  });

  test('of what a client declares, counts what its revision has', () => {
    assert.deepEqual(capabilitiesIn('2025-11-25', all), all);
    assert.deepEqual(capabilitiesIn('2025-06-18', all), { roots: {}, sampling: {}, elicitation: {} });
    assert.deepEqual(capabilitiesIn('2025-06-18', { elicitation: { url: {} } }), {});
    assert.deepEqual(capabilitiesIn('2025-03-26', all), { roots: {}, sampling: {} });
  });

  test('a URL to open has the id that the revision wants, the one of the server where it gave one', async () => {
    const url = { mode: 'url', url: 'https://example.com/', message: 'Log in' };
    const made = (await asked(sessionOf(), { method: 'elicitation/create', params: url })).params as Members;
    assert.match(made.elicitationId as string, /^[0-9a-f]{32}$/);
    const own = { ...url, elicitationId: 'e1' };
    assert.deepEqual((await asked(sessionOf(), { method: 'elicitation/create', params: own })).params, own);
  });

  /** A question that was asked and never answered, until something else ends it. */
  async function unanswered(end: (session: Session, abort: AbortController) => void): Promise<InputAnswer> {
    const session = sessionOf();
    const abort = new AbortController();
    const { exchange, next } = await post();
    const answer = asking.ask(session, exchange, elicitation, abort.signal);
    const { id } = await next();
    end(session, abort);
    const told = await answer;
    const { method, params } = await next();
    assert.equal(method, 'notifications/cancelled');
    assert.equal((params as Members).requestId, id);
    assert.equal(session.questions.size, 0);
    exchange.answer(200, '{}');
    return told;
  }

  test('a client that takes more than ten minutes is told that nobody waits any more', async () => {
    const told = await unanswered(() => clock.advance(10 * 60_000 + 5_000));
    assert.ok('error' in told && told.error.code === -32001);
  });

  test('a client that thinks for nine minutes is waited for', async () => {
    const session = sessionOf();
    const { exchange, next } = await post();
    const answer = asking.ask(session, exchange, elicitation, never);
    const { id } = await next();
    clock.advance(9 * 60_000);
    session.questions.get(id as string)?.settle({ result: { action: 'decline' } });
    assert.deepEqual(await answer, { result: { action: 'decline' } });
    exchange.answer(200, '{}');
  });

  test('a question ends with its request, and with its session', async () => {
    for (const end of [
      (_: Session, abort: AbortController) => abort.abort(),
      (session: Session) => session.stop('over'),
    ]) {
      const told = await unanswered(end);
      assert.ok('error' in told && told.error.code === -32000);
    }
  });

  test('a client that goes away while it is asked leaves nothing behind', async () => {
    const session = sessionOf();
    const { exchange, next, leave } = await post();
    const answers = [1, 2].map(() => asking.ask(session, exchange, elicitation, never));
    await next();
    leave();
    for (const told of await Promise.all(answers)) assert.ok('error' in told && told.error.code === -32000);
    assert.equal(session.questions.size, 0);
    const late = await asking.ask(session, exchange, elicitation, never);
    assert.ok('error' in late);
    assert.equal(session.questions.size, 0);
  });

  test('a session has at most a hundred questions to answer', async () => {
    const session = sessionOf();
    const { exchange, next } = await post();
    const answers = Array.from({ length: 100 }, () => asking.ask(session, exchange, elicitation, never));
    const one = await asking.ask(session, exchange, elicitation, never);
    assert.ok('error' in one);
    await next();
    session.stop('over');
    await Promise.all(answers);
    exchange.answer(200, '{}');
  });
});
