import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { manualClock } from '#foundation';
import type { EgressFailure, EgressOptions, Upstream, UpstreamRequest } from './contract.ts';
import { createEgress } from './egress.ts';

type Clock = ReturnType<typeof manualClock>;

interface Peer {
  readonly port: number;
  /** Every connection ever made, in order. */
  readonly sockets: Socket[];
  /** Heads of the requests that came, in order. */
  readonly requests: string[];
  /** Resolves once so many requests have come. */
  came(count: number): Promise<void>;
}

/** A server that answers each request with whatever bytes `answer` writes. */
async function peer(t: TestContext, answer: (socket: Socket, request: string) => void): Promise<Peer> {
  const sockets: Socket[] = [];
  const requests: string[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const request = text.slice(0, end + 4);
        text = text.slice(end + 4);
        requests.push(request);
        answer(socket, request);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const came = async (count: number) => {
    while (requests.length < count) await turn();
  };
  return { port: (server.address() as AddressInfo).port, sockets, requests, came };
}

function upstreamTo(t: TestContext, port: number, options: Partial<EgressOptions> = {}): Upstream {
  const egress = createEgress({ allow: [], ...options });
  t.after(() => egress.close());
  const upstream = egress.upstream(`http://127.0.0.1:${port}`, 'file');
  assert.ok(upstream.ok);
  return upstream.value;
}

const GET: UpstreamRequest = { method: 'GET', path: '/', headers: '', timeoutMs: 5000, maxBytes: 10_000_000 };
const HELLO = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello';

async function failureOf(answer: ReturnType<Upstream['request']>): Promise<EgressFailure> {
  const result = await answer;
  assert.ok(!result.ok, 'it was answered');
  return result.error;
}

async function bodyOf(answer: ReturnType<Upstream['request']>): Promise<string> {
  const result = await answer;
  assert.ok(result.ok, result.ok ? '' : result.error.message);
  return result.value.body.toString();
}

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

describe('a request', () => {
  it('reaches the server whole, body and all, in whichever form the body is given', async (t) => {
    const server = createHttpServer(async (request, response) => {
      const body = (await request.toArray()).join('');
      response.setHeader('x-seen', `${request.method} ${request.url} ${request.headers['x-a']}`);
      response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const upstream = upstreamTo(t, (server.address() as AddressInfo).port);
    const long = 'wörter '.repeat(100_000);
    for (const body of ['plain', 'wörter ✓ 😀', long, Buffer.from('small'), Buffer.from(long), '']) {
      const answer = await upstream.request({
        ...GET,
        method: 'POST',
        path: '/a?b',
        headers: 'x-a: 1\r\n',
        body,
      });
      assert.ok(answer.ok);
      assert.equal(answer.value.body.toString() === body.toString(), true);
      assert.equal(answer.value.header('x-seen'), 'POST /a?b 1');
    }
    upstream.close();
  });

  it('is refused unsent when its path or its headers could begin another one', async (t) => {
    const { port, requests } = await peer(t, (socket) => socket.write(HELLO));
    const upstream = upstreamTo(t, port);
    for (const path of ['', 'a', '/a b', '/a\r\nx: y', '/\0', '/ü', '/a#b', 'http://other/']) {
      const failure = await failureOf(upstream.request({ ...GET, path }));
      assert.deepEqual([failure.kind, failure.sent], ['uri_invalid', false], path);
    }
    const broken = [
      'a: b',
      'a: b\n',
      'a: b\r\n\r\n',
      'a: b\r\nGET / HTTP/1.1\r\n',
      'a: \0\r\n',
      'a b: c\r\n',
      ': c\r\n',
    ];
    for (const headers of [
      ...broken,
      'a: b\rc: d\r\n',
      'Host: x\r\n',
      'content-length: 1\r\n',
      'Transfer-Encoding: chunked\r\n',
    ]) {
      const failure = await failureOf(upstream.request({ ...GET, headers }));
      assert.deepEqual([failure.kind, failure.sent], ['protocol', false], headers);
    }
    assert.equal(requests.length, 0);
    assert.equal(await bodyOf(upstream.request({ ...GET, headers: 'a: b\r\nhost-x: ok\r\n' })), 'hello');
  });

  it('shares one connection with those before it', async (t) => {
    const { port, sockets } = await peer(t, (socket) => socket.write(HELLO));
    const upstream = upstreamTo(t, port);
    for (let count = 0; count < 5; count++) assert.equal(await bodyOf(upstream.request(GET)), 'hello');
    assert.equal(sockets.length, 1);
  });

  it('gets its own answer when two hundred share four connections', async (t) => {
    const { port, sockets } = await peer(t, (socket, request) => {
      const path = request.split(' ')[1] ?? '';
      setImmediate(() => socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${path.length}\r\n\r\n${path}`));
    });
    const upstream = upstreamTo(t, port, { maxPerOrigin: 4 });
    const paths = Array.from({ length: 200 }, (_, index) => `/${index}`);
    const bodies = await Promise.all(paths.map((path) => bodyOf(upstream.request({ ...GET, path }))));
    assert.deepEqual(bodies, paths);
    assert.equal(sockets.length, 4);
  });

  it('tries the next address when the first cannot be connected to', async (t) => {
    const { port } = await peer(t, (socket) => socket.write(HELLO));
    const egress = createEgress({ allow: [], lookup: async () => ['::1', '127.0.0.1'] });
    t.after(() => egress.close());
    const upstream = egress.upstream(`http://two.test:${port}`, 'file');
    assert.ok(upstream.ok);
    assert.equal(await bodyOf(upstream.value.request(GET)), 'hello');
    assert.deepEqual(await upstream.value.check(), { ok: true, value: { address: '127.0.0.1' } });
  });
});

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

describe('an end', () => {
  it('by the signal ends the connection of that request alone', async (t) => {
    const { port, sockets, came } = await peer(t, (socket, request) => {
      if (request.startsWith('GET /quick')) socket.write(HELLO);
    });
    const upstream = upstreamTo(t, port);
    const controller = new AbortController();
    const aborted = upstream.request({ ...GET, signal: controller.signal });
    const other = upstream.request(GET);
    await came(2);
    controller.abort();
    const failure = await failureOf(aborted);
    assert.deepEqual([failure.kind, failure.sent], ['aborted', true]);
    while (sockets.filter((socket) => !socket.destroyed).length > 1) await turn();
    sockets.find((socket) => !socket.destroyed)?.write(HELLO);
    assert.equal(await bodyOf(other), 'hello');
    assert.equal(await bodyOf(upstream.request({ ...GET, path: '/quick' })), 'hello');
    assert.equal(sockets.length, 2);
  });

  it('by a signal that came before sends nothing', async (t) => {
    const { port, requests, sockets } = await peer(t, (socket) => socket.write(HELLO));
    const upstream = upstreamTo(t, port, { maxPerOrigin: 1 });
    const failure = await failureOf(upstream.request({ ...GET, signal: AbortSignal.abort() }));
    assert.deepEqual([failure.kind, failure.sent], ['aborted', false]);
    const controller = new AbortController();
    const connecting = upstream.request({ ...GET, signal: controller.signal });
    const waiting = upstream.request({ ...GET, signal: controller.signal });
    controller.abort();
    for (const answer of [connecting, waiting]) assert.equal((await failureOf(answer)).sent, false);
    assert.equal(await bodyOf(upstream.request(GET)), 'hello');
    assert.equal(requests.length, 1);
    assert.equal(sockets.length, 1);
  });

  it('by a reader that throws fails the stream and not the process', async (t) => {
    const { port } = await peer(t, (socket) => socket.write(HELLO));
    const upstream = upstreamTo(t, port);
    const stream = () => () => {
      throw new Error('reader broke');
    };
    const failure = await failureOf(upstream.request({ ...GET, stream }));
    assert.equal(failure.kind, 'aborted');
    assert.match(failure.message, /reader broke/);
    assert.equal(await bodyOf(upstream.request(GET)), 'hello');
  });

  it('of the destination stops what runs, what waits and what comes', async (t) => {
    const { port, came } = await peer(t, () => {});
    const upstream = upstreamTo(t, port, { maxPerOrigin: 1 });
    const running = upstream.request(GET);
    const waiting = upstream.request(GET);
    await came(1);
    upstream.close();
    assert.deepEqual(
      [(await failureOf(running)).kind, (await failureOf(waiting)).kind],
      ['stopped', 'stopped'],
    );
    const late = await failureOf(upstream.request(GET));
    assert.deepEqual([late.kind, late.sent], ['stopped', false]);
    const check = await upstream.check();
    assert.equal(check.ok ? null : check.error.kind, 'stopped');
  });

  it('where nobody listens is unreachable, with nothing sent', async (t) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const failure = await failureOf(upstreamTo(t, port).request(GET));
    assert.deepEqual([failure.kind, failure.sent], ['unreachable', false]);
    assert.match(failure.message, /ECONNREFUSED/);
  });
});
