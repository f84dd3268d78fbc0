import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createEgress } from './egress.ts';
import { bodyOf, failureOf, GET, HELLO, peer, upstreamTo } from './testing/peer.ts';

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
    for (const authorization of ['Bearer a\r\nx: y', 'Bearer a\n', 'Bearer \0', 'Bearer ü']) {
      const failure = await failureOf(upstream.request({ ...GET, authorization }));
      assert.deepEqual([failure.kind, failure.sent], ['protocol', false], authorization);
    }
    assert.equal(requests.length, 0);
    assert.equal(await bodyOf(upstream.request({ ...GET, headers: 'a: b\r\nhost-x: ok\r\n' })), 'hello');
  });

  it('carries its own authorization, and the next one another', async (t) => {
    const { port, requests } = await peer(t, (socket) => socket.write(HELLO));
    const upstream = upstreamTo(t, port);
    for (const authorization of ['Bearer one', 'Bearer two', undefined])
      await bodyOf(upstream.request({ ...GET, headers: 'a: b\r\n', authorization }));
    const said = requests.map((request) => /^authorization: (.*)\r$/m.exec(request)?.[1]);
    assert.deepEqual(said, ['Bearer one', 'Bearer two', undefined]);
    assert.ok(requests.every((request) => request.includes('\r\na: b\r\n')));
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
