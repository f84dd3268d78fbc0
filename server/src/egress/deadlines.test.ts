import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { manualClock } from '#foundation';
import { createEgress } from './egress.ts';
import { bodyOf, failureOf, GET, HELLO, peer, upstreamTo } from './testing/peer.ts';

type Clock = ReturnType<typeof manualClock>;

/** Lets the manual clock pass while real sockets do their work. */
async function passUntilSettled<T>(clock: Clock, answer: Promise<T>): Promise<T> {
  let isSettled = false;
  void answer.finally(() => {
    isSettled = true;
  });
  while (!isSettled) {
    clock.advance(100);
    await turn();
  }
  return answer;
}

describe('time', () => {
  it('runs out for a server that never answers', async (t) => {
    const clock = manualClock();
    const { port } = await peer(t, () => {});
    const answer = upstreamTo(t, port, { clock }).request({ ...GET, timeoutMs: 60_000 });
    const failure = await failureOf(passUntilSettled(clock, answer));
    assert.equal(failure.kind, 'timeout');
    assert.match(failure.message, /60000 ms/);
  });

  it('runs out after the request was sent, and says so', async (t) => {
    const clock = manualClock();
    const { port, came } = await peer(t, (socket) =>
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe'),
    );
    const answer = upstreamTo(t, port, { clock }).request({ ...GET, timeoutMs: 50 });
    await came(1);
    clock.advance(100);
    const failure = await failureOf(answer);
    assert.deepEqual([failure.kind, failure.sent], ['timeout', true]);
  });

  it('runs out while a request waits for a connection, with nothing sent; the others go on in order', async (t) => {
    const clock = manualClock();
    const { port, sockets, requests, came } = await peer(t, (socket, request) => {
      if (!request.startsWith('GET /slow')) socket.write(HELLO);
    });
    const upstream = upstreamTo(t, port, { clock, maxPerOrigin: 1 });
    const slow = upstream.request({ ...GET, path: '/slow' });
    await came(1);
    const short = upstream.request({ ...GET, path: '/short', timeoutMs: 200 });
    const second = upstream.request({ ...GET, path: '/second' });
    const third = upstream.request({ ...GET, path: '/third' });
    clock.advance(300);
    const failure = await failureOf(short);
    assert.deepEqual([failure.kind, failure.sent], ['timeout', false]);
    sockets[0]?.write(HELLO);
    assert.deepEqual(await Promise.all([slow, second, third].map(bodyOf)), ['hello', 'hello', 'hello']);
    assert.deepEqual(
      requests.map((request) => request.split(' ')[1]),
      ['/slow', '/second', '/third'],
    );
  });

  it('runs out for a name that is never resolved, for the request and for a check', async (t) => {
    const clock = manualClock();
    const egress = createEgress({
      allow: [],
      clock,
      connectTimeoutMs: 1000,
      lookup: () => new Promise(() => {}),
    });
    t.after(() => egress.close());
    const upstream = egress.upstream('http://silent.test', 'api');
    assert.ok(upstream.ok);
    const request = upstream.value.request(GET);
    const check = upstream.value.check();
    clock.advance(1100);
    const failure = await failureOf(request);
    assert.deepEqual([failure.kind, failure.sent], ['timeout', false]);
    assert.deepEqual(await check, { ok: false, error: failure });
  });

  it('of a stream runs to the head, then from piece to piece', async (t) => {
    const clock = manualClock();
    const { port, sockets, came } = await peer(t, () => {});
    const upstream = upstreamTo(t, port, { clock });
    const pieces: string[] = [];
    const stream = () => (piece: Buffer) => void pieces.push(piece.toString());
    const answer = upstream.request({ ...GET, timeoutMs: 1000, streamIdleTimeoutMs: 3000, stream });
    await came(1);
    sockets[0]?.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n');
    while (pieces.length < 1) await turn();
    clock.advance(2900);
    sockets[0]?.write('1\r\nb\r\n');
    while (pieces.length < 2) await turn();
    clock.advance(2900);
    sockets[0]?.write('1\r\nc\r\n');
    while (pieces.length < 3) await turn();
    clock.advance(3100);
    assert.equal((await failureOf(answer)).kind, 'timeout');
    assert.deepEqual(pieces, ['a', 'b', 'c']);
  });

  it('of a stream is endless between two pieces unless a limit is given', async (t) => {
    const clock = manualClock();
    const { port, sockets } = await peer(t, (socket) =>
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n'),
    );
    let text = '';
    const stream = () => (piece: Buffer) => {
      text += piece.toString();
    };
    const answer = upstreamTo(t, port, { clock }).request({ ...GET, timeoutMs: 1000, stream });
    while (text === '') await turn();
    clock.advance(86_400_000);
    sockets[0]?.write('1\r\nb\r\n0\r\n\r\n');
    assert.equal(await bodyOf(answer), '');
    assert.equal(text, 'ab');
  });
});
