import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { manualClock } from '#foundation';
import { bodyOf, failureOf, GET, HELLO, peer, upstreamTo } from '../testing/peer.ts';

describe('a connection', () => {
  it('is not used again after bytes that nobody asked for', async (t) => {
    const { port, sockets } = await peer(t, (socket) =>
      socket.write(`${HELLO}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil`),
    );
    const upstream = upstreamTo(t, port);
    assert.equal(await bodyOf(upstream.request(GET)), 'hello');
    assert.equal(await bodyOf(upstream.request(GET)), 'hello');
    assert.equal(sockets.length, 2);
  });

  it('is not used again after bytes that come while it is idle', async (t) => {
    const { port, sockets } = await peer(t, (socket) => socket.write(HELLO));
    const upstream = upstreamTo(t, port);
    assert.equal(await bodyOf(upstream.request(GET)), 'hello');
    const closed = new Promise((resolve) => sockets[0]?.once('close', resolve));
    sockets[0]?.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil');
    await closed;
    assert.equal(await bodyOf(upstream.request(GET)), 'hello');
    assert.equal(sockets.length, 2);
  });

  it('is not used again after Connection: close or a Keep-Alive too short', async (t) => {
    for (const header of ['connection: close', 'keep-alive: timeout=1']) {
      const { port, sockets } = await peer(t, (socket) =>
        socket.write(HELLO.replace('OK\r\n', `OK\r\n${header}\r\n`)),
      );
      const upstream = upstreamTo(t, port);
      await bodyOf(upstream.request(GET));
      await bodyOf(upstream.request(GET));
      assert.equal(sockets.length, 2, header);
    }
  });

  it('is replaced when the peer closed it while it was idle', async (t) => {
    const { port, sockets, requests } = await peer(t, (socket) => socket.write(HELLO));
    const upstream = upstreamTo(t, port);
    await bodyOf(upstream.request(GET));
    const closed = new Promise((resolve) => sockets[0]?.once('close', resolve));
    sockets[0]?.end();
    await closed;
    assert.equal(await bodyOf(upstream.request(GET)), 'hello');
    assert.equal(sockets.length, 2);
    assert.equal(requests.length, 2);
  });

  it('that was reset unnoticed hands its request to a new one, as nothing was sent', async (t) => {
    const { port, sockets, requests } = await peer(t, (socket) => socket.write(HELLO));
    const upstream = upstreamTo(t, port);
    await bodyOf(upstream.request(GET));
    sockets[0]?.resetAndDestroy();
    assert.equal(await bodyOf(upstream.request({ ...GET, method: 'POST', body: 'once' })), 'hello');
    assert.equal(requests.length, 2);
  });

  it('that dies after the request was sent has it reported as interrupted, never sent again', async (t) => {
    const { port, sockets, requests, came } = await peer(t, (socket, request) => {
      if (request.startsWith('GET')) socket.write(HELLO);
    });
    const upstream = upstreamTo(t, port);
    await bodyOf(upstream.request(GET));
    const answer = upstream.request({ ...GET, method: 'POST', body: '' });
    await came(2);
    sockets[0]?.destroy();
    const failure = await failureOf(answer);
    assert.deepEqual([failure.kind, failure.sent], ['interrupted', true]);
    assert.equal(sockets.length, 1);
    assert.equal(requests.length, 2);
  });

  it('that was closed a moment ago has its request reported as interrupted, as it may have arrived', async (t) => {
    const { port, sockets, requests } = await peer(t, (socket) => socket.write(HELLO));
    const upstream = upstreamTo(t, port);
    await bodyOf(upstream.request(GET));
    sockets[0]?.destroy();
    const failure = await failureOf(upstream.request({ ...GET, method: 'POST', body: 'once' }));
    assert.deepEqual([failure.kind, failure.sent], ['interrupted', true]);
    assert.equal(sockets.length, 1);
    assert.equal(requests.length, 1);
  });

  it('that dies in the middle of an answer fails it, with or without a length', async (t) => {
    for (const part of [
      'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n',
      'HTTP/1.1 20',
    ]) {
      const { port } = await peer(t, (socket) => socket.end(part));
      const failure = await failureOf(upstreamTo(t, port).request(GET));
      assert.deepEqual([failure.kind, failure.sent], ['interrupted', true]);
    }
  });

  it('carries a body that ends with it', async (t) => {
    const { port } = await peer(t, (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nto the end'));
    assert.equal(await bodyOf(upstreamTo(t, port).request(GET)), 'to the end');
  });

  it('ends when its answer is malformed or too large, and the next request gets a new one', async (t) => {
    const answers = ['nonsense\r\n\r\n', HELLO, HELLO];
    const { port, sockets } = await peer(t, (socket) => socket.write(answers.shift() ?? ''));
    const upstream = upstreamTo(t, port);
    const malformed = await failureOf(upstream.request(GET));
    assert.deepEqual([malformed.kind, malformed.sent], ['protocol', true]);
    const tooLarge = await failureOf(upstream.request({ ...GET, maxBytes: 4 }));
    assert.deepEqual([tooLarge.kind, tooLarge.sent], ['too_large', true]);
    assert.equal(await bodyOf(upstream.request(GET)), 'hello');
    assert.equal(sockets.length, 3);
  });

  it('closes when it was idle for thirty seconds, or for less than the server announced', async (t) => {
    const cases: readonly (readonly [string, number])[] = [
      ['', 30_000],
      ['keep-alive: timeout=5\r\n', 4000],
    ];
    for (const [header, idleMs] of cases) {
      const clock = manualClock();
      const { port, sockets } = await peer(t, (socket) =>
        socket.write(HELLO.replace('OK\r\n', `OK\r\n${header}`)),
      );
      const upstream = upstreamTo(t, port, { clock });
      await bodyOf(upstream.request(GET));
      clock.advance(idleMs - 100);
      await bodyOf(upstream.request(GET));
      assert.equal(sockets.length, 1);
      clock.advance(idleMs);
      await bodyOf(upstream.request(GET));
      assert.equal(sockets.length, 2);
    }
  });

  it('closes earlier once the server has closed one that was idle, without having said so', async (t) => {
    const clock = manualClock();
    const { port, sockets } = await peer(t, (socket) => socket.write(HELLO));
    const upstream = upstreamTo(t, port, { clock });
    await bodyOf(upstream.request(GET));
    clock.advance(5000);
    const closed = new Promise((resolve) => sockets[0]?.once('close', resolve));
    sockets[0]?.end();
    await closed;
    await bodyOf(upstream.request(GET));
    clock.advance(4000);
    await bodyOf(upstream.request(GET));
    assert.equal(sockets.length, 3);
  });

  it('is kept idle only up to the number allowed', async (t) => {
    const { port, sockets } = await peer(t, (socket) => socket.write(HELLO));
    const upstream = upstreamTo(t, port, { maxIdlePerOrigin: 2 });
    await Promise.all(Array.from({ length: 6 }, () => bodyOf(upstream.request(GET))));
    while (sockets.filter((socket) => !socket.destroyed).length > 2) await turn();
    await Promise.all(Array.from({ length: 2 }, () => bodyOf(upstream.request(GET))));
    assert.equal(sockets.length, 6);
  });
});
