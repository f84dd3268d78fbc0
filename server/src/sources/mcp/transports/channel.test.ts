import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { EgressFailure } from '#egress';
import { manualClock } from '#foundation';
import { type ChannelOptions, createChannel } from './channel.ts';
import type { Exchange } from './exchange.ts';
import type { Message } from './message.ts';

const session = { id: null, version: '2025-11-25' };
const interrupted: EgressFailure = { kind: 'interrupted', message: 'it is gone', sent: true };

function exchangeOf(id: number, given: Partial<Exchange> = {}): Exchange {
  const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call' });
  const limits = { timeoutMs: 1000, signal: null, harmless: false, onMessage: null };
  return { id, body, headers: '', ...limits, ...given };
}

/** A channel whose other end is the test. */
function openChannel(given: Partial<ChannelOptions> = {}) {
  const clock = manualClock();
  const written: string[] = [];
  let closed = 0;
  const channel = createChannel({
    clock,
    async write(body) {
      written.push(body);
      return null;
    },
    close() {
      closed++;
    },
    ...given,
  });
  return {
    channel,
    clock,
    written,
    closed: () => closed,
    say: (message: object | string) =>
      channel.receive(Buffer.from(typeof message === 'string' ? message : JSON.stringify(message))),
  };
}

const result = (id: unknown, value: object) => ({ jsonrpc: '2.0', id, result: value });

describe('a channel', () => {
  it('gives each request its own answer, in whatever order and shape they come, with the bytes as written', async () => {
    const { channel, say } = openChannel();
    const texts = ['{"a": 1.0}', '{"b":1e2}', '{"id":4,"result":{}}', '{ "d":"ü" }', '{}'];
    const asked = texts.map((_, index) => channel.request(exchangeOf(index + 1), session));
    say(`{"jsonrpc": "2.0", "id": 4, "result": ${texts[3]}}`);
    say(`{"result":${texts[1]},"jsonrpc":"2.0","id":2}`);
    say(`{"jsonrpc":"2.0","id":3,"result":${texts[2]}}`);
    say(`{"id":1,"jsonrpc":"2.0","result":${texts[0]}}`);
    say('{"jsonrpc":"2.0","id":5,"error":{"code":-32000,"message":"no"}}');
    const answers = await Promise.all(asked);
    for (const [index, answer] of answers.entries()) {
      assert.ok(answer.ok);
      const said = answer.value.kind === 'result' ? answer.value.bytes.toString() : answer.value;
      if (index < 4) assert.equal(said, texts[index]);
      else assert.deepEqual(said, { kind: 'error', error: { code: -32000, message: 'no' }, status: 200 });
    }
  });

  it('believes no beginning that names another request than the whole does', async () => {
    const { channel, say } = openChannel();
    const first = channel.request(exchangeOf(1), session);
    const second = channel.request(exchangeOf(2), session);
    say('{"jsonrpc":"2.0","id":1,"result":{"text":"x"},"id":2}');
    say(result(1, { text: 'first' }));
    const [one, two] = await Promise.all([first, second]);
    assert.ok(one.ok && one.value.kind === 'result' && two.ok && two.value.kind === 'result');
    assert.deepEqual([one.value.result, two.value.result], [{ text: 'first' }, { text: 'x' }]);
  });

  it('brings what names a request to it, and anything else to whoever listens', async () => {
    const { channel, say } = openChannel();
    const [mine, others]: [Message[], Message[]] = [[], []];
    const asked = channel.request(exchangeOf(7, { onMessage: (message) => mine.push(message) }), session);
    const early = { jsonrpc: '2.0', id: 'r1', method: 'roots/list' };
    say(early);
    channel.listen(session, { onMessage: (message) => others.push(message), onEnd() {} });
    await setImmediate();
    say({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 7, progress: 1 } });
    say({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 8, progress: 1 } });
    const _meta = { 'io.modelcontextprotocol/subscriptionId': 7 };
    say({ jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: { _meta } });
    say({ jsonrpc: '2.0', id: 1, method: 'sampling/createMessage', params: {} });
    say(result(7, {}));
    await asked;
    const methods = (messages: Message[]) =>
      messages.map((message) => ('method' in message ? message.method : message.kind));
    assert.deepEqual(methods(mine), ['notifications/progress', 'notifications/tools/list_changed']);
    assert.deepEqual(methods(others), ['roots/list', 'notifications/progress', 'sampling/createMessage']);
  });

  it('keeps a bounded part of what is said before anybody listens', async () => {
    const { channel, say } = openChannel();
    for (let n = 0; n < 500; n++) say({ jsonrpc: '2.0', method: 'notifications/message', params: { n } });
    const heard: Message[] = [];
    channel.listen(session, { onMessage: (message) => heard.push(message), onEnd() {} });
    await setImmediate();
    assert.equal(heard.length, 100);
  });

  it('gives a request its time anew with each message for it, and asks for more before it gives up', async () => {
    const { channel, clock, say } = openChannel({ hint: () => '; it wrote nonsense' });
    let more = 500;
    const moreTimeMs = () => {
      const given = more;
      more = 0;
      return given;
    };
    let settled = false;
    const asked = channel.request(exchangeOf(1, { moreTimeMs }), session).finally(() => {
      settled = true;
    });
    clock.advance(900);
    say({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress: 1 } });
    for (const [ms, expected] of [
      [900, false],
      [500, false],
      [300, true],
    ] as const) {
      clock.advance(ms);
      await setImmediate();
      assert.equal(settled, expected, `${ms}`);
    }
    const answer = await asked;
    assert.ok(!answer.ok);
    assert.deepEqual(answer.error, {
      kind: 'timeout',
      message: 'the server was silent for 1000 ms',
      aside: '; it wrote nonsense',
      sent: true,
    });
  });

  it('lets a lasting request last once the server spoke', async () => {
    const { channel, clock, say } = openChannel();
    const asked = channel.request(exchangeOf(3, { lasting: true }), session);
    const _meta = { 'io.modelcontextprotocol/subscriptionId': '3' };
    say({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params: { _meta } });
    clock.advance(10 * 3_600_000);
    say(result(3, { resultType: 'complete' }));
    assert.ok((await asked).ok);
  });

  it('ends a request when its signal does, and passes over the answer that comes too late', async () => {
    const { channel, say, written } = openChannel();
    const abort = new AbortController();
    const asked = channel.request(exchangeOf(1, { signal: abort.signal }), session);
    abort.abort();
    const answer = await asked;
    assert.ok(!answer.ok && answer.error.kind === 'aborted' && answer.error.sent);
    assert.equal(say(result(1, {})), null);
    const never = await channel.request(exchangeOf(2, { signal: abort.signal }), session);
    assert.ok(!never.ok && !never.error.sent);
    assert.equal(written.length, 1);
  });

  it('fails what is open when it ends, and says that it may have been done; what comes after surely was not', async () => {
    const { channel } = openChannel();
    let ended = 0;
    const onEnd = () => {
      ended++;
    };
    channel.listen(session, { onMessage() {}, onEnd });
    const open = channel.request(exchangeOf(1), session);
    await setImmediate();
    channel.fail(interrupted);
    channel.fail(interrupted);
    channel.listen(session, { onMessage() {}, onEnd });
    const later = await channel.request(exchangeOf(2), session);
    const first = await open;
    assert.ok(!first.ok && !later.ok);
    assert.deepEqual(first.error, interrupted);
    assert.deepEqual(later.error, { ...interrupted, sent: false });
    assert.equal(ended, 2, 'each listener hears it once');
  });

  it('ends what carries it when it is ended', async () => {
    const { channel, closed } = openChannel();
    const open = channel.request(exchangeOf(1), session);
    await channel.end(null);
    const answer = await open;
    assert.ok(!answer.ok && answer.error.kind === 'stopped');
    assert.equal(closed(), 1);
  });

  it('takes no more requests at once than it may, and hands on a refusal to take one', async () => {
    const { channel, say } = openChannel({ maxOpen: 1 });
    const first = channel.request(exchangeOf(1), session);
    const second = await channel.request(exchangeOf(2), session);
    assert.ok(!second.ok && !second.error.sent && second.error.kind === 'timeout');
    say(result(1, {}));
    assert.ok((await first).ok);
    const refusing = openChannel({
      write: async () => ({ ok: true, value: { kind: 'refused', status: 404, text: '', why: 'no' } }),
    });
    const refused = await refusing.channel.request(exchangeOf(1), session);
    assert.ok(refused.ok && refused.value.kind === 'refused' && refused.value.status === 404);
  });

  it('fails the request whose answer is too large, or all where it cannot tell', async () => {
    const { channel } = openChannel();
    const asked = [1, 2, 3].map((id) => channel.request(exchangeOf(id), session));
    channel.tooLarge(
      Buffer.from('{"jsonrpc":"2.0","id":2,"result":{"content":["aaaaaaaaaaaaaaaaaaaaaaaaa'),
      50,
    );
    const large = await asked[1];
    assert.ok(large !== undefined && !large.ok);
    assert.equal(large.error.message, "the server's message is larger than 50 bytes");
    assert.deepEqual([large.error.kind, channel.idleSinceMs()], ['too_large', null]);
    channel.tooLarge(Buffer.from('aaaaaaaa'), 50);
    for (const answer of await Promise.all(asked)) assert.ok(!answer.ok && answer.error.kind === 'too_large');
  });

  it('takes an error without an id for the answer to the only request there is', async () => {
    const { channel, say } = openChannel();
    const message = { jsonrpc: '2.0', id: null, error: { code: -32700, message: 'what?' } };
    const asked = channel.request(exchangeOf(1), session);
    say(message);
    const answer = await asked;
    assert.ok(answer.ok && answer.value.kind === 'error' && answer.value.error.code === -32700);
    const two = [channel.request(exchangeOf(2), session), channel.request(exchangeOf(3), session)];
    say(message);
    say(result(2, {}));
    say(result(3, {}));
    for (const one of await Promise.all(two)) assert.ok(one.ok && one.value.kind === 'result');
  });

  it('takes several messages at once, as 2025-03-26 has it', async () => {
    const { channel, say } = openChannel();
    const heard: Message[] = [];
    const onMessage = (message: Message) => heard.push(message);
    const two = [
      channel.request(exchangeOf(1, { onMessage }), session),
      channel.request(exchangeOf(2), session),
    ];
    const progress = { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1 } };
    assert.equal(say(` ${JSON.stringify([result(2, { is: 2 }), progress, result(1, { is: 1 })])}`), null);
    const answers = await Promise.all(two);
    const told = answers.map((answer) => answer.ok && answer.value.kind === 'result' && answer.value.result);
    assert.deepEqual(told, [{ is: 1 }, { is: 2 }]);
    assert.equal(heard.length, 1);
  });

  it('says what is no JSON-RPC', async () => {
    const { channel, say } = openChannel();
    for (const line of ['Listening on 8080', '7', '[]', '{"id":1}', '"x"', 'null']) {
      assert.equal(typeof say(line), 'string', line);
    }
    assert.equal(channel.spoke(), false);
    const asked = channel.request(exchangeOf(1), session);
    say('{"jsonrpc":"2.0","id":1,"result":7}');
    const answer = await asked;
    assert.equal(answer.ok ? '' : answer.error.kind, 'protocol');
  });
});
