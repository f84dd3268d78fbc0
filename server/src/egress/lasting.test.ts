import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { manualClock } from '#foundation';
import { bodyOf, failureOf, GET, HELLO, peer, upstreamTo } from './testing/peer.ts';

const answersQuick = (socket: { write(text: string): void }, request: string) => {
  if (request.startsWith('GET /quick')) socket.write(HELLO);
};
const quick = { ...GET, path: '/quick' };

describe('a request that stays open', () => {
  it('takes no connection away from the others, be it as many as there may be', async (t) => {
    const { port, came } = await peer(t, answersQuick);
    const upstream = upstreamTo(t, port, { maxPerOrigin: 1, maxLastingPerOrigin: 2 });
    for (let count = 0; count < 2; count++) void upstream.request({ ...GET, lasting: true });
    await came(2);
    assert.equal(await bodyOf(upstream.request(quick)), 'hello');
  });

  it('is refused where too many are open, and let in when one has ended', async (t) => {
    const { port, came } = await peer(t, answersQuick);
    const upstream = upstreamTo(t, port, { maxLastingPerOrigin: 1 });
    const end = new AbortController();
    const first = upstream.request({ ...GET, lasting: true, signal: end.signal });
    await came(1);
    const failure = await failureOf(upstream.request({ ...GET, lasting: true }));
    assert.deepEqual([failure.kind, failure.sent], ['timeout', false]);
    end.abort();
    await first;
    assert.equal(await bodyOf(upstream.request({ ...quick, lasting: true })), 'hello');
  });

  it('is found out after a second where nobody said so', async (t) => {
    const clock = manualClock();
    const { port, came } = await peer(t, answersQuick);
    const upstream = upstreamTo(t, port, { clock, maxPerOrigin: 1 });
    void upstream.request({ ...GET, timeoutMs: 60_000 });
    await came(1);
    let isAnswered = false;
    const waiting = bodyOf(upstream.request({ ...quick, timeoutMs: 60_000 })).then((body) => {
      isAnswered = true;
      return body;
    });
    clock.advance(500);
    await turn();
    assert.equal(isAnswered, false);
    clock.advance(1000);
    assert.equal(await waiting, 'hello');
  });

  it('has as much time again as it is asked for when its time is over', async (t) => {
    const clock = manualClock();
    const { port, came } = await peer(t, answersQuick);
    const upstream = upstreamTo(t, port, { clock });
    const more = [2000, 0];
    const request = upstream.request({ ...GET, timeoutMs: 1000, moreTimeMs: () => more.shift() ?? 0 });
    await came(1);
    clock.advance(2500);
    assert.equal(more.length, 1);
    clock.advance(1000);
    assert.equal((await failureOf(request)).kind, 'timeout');
  });
});
