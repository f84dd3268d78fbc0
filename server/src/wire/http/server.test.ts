import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { HttpRequest, HttpResponse } from './message.ts';
import { createOriginPolicy } from './origin.ts';
import { listen } from './server.ts';

const readiness = async () => ({ ready: true, checks: {} });
const metrics = { read: async () => [], token: null };
const answered = () => {};
const origins = createOriginPolicy({ bindHost: '127.0.0.1', publicUrl: null });

test('an address that holds no text is refused before anybody looks for what it names', async () => {
  const served: (string | undefined)[] = [];
  const serve = async ({ url }: HttpRequest, response: HttpResponse) => {
    served.push(url);
    response.end();
  };
  const fronts = {
    mcp: serve,
    rest: null,
    more: [{ at: '/connect', serve }],
    origins,
    readiness,
    metrics,
    answered,
    version: '1',
  };
  const server = await listen('127.0.0.1', 0, fronts);
  const paths = ['/connect/done/%00', '/connect?told=%00', '/mcp/office?%00', '/%00', '/connect/done/%2500'];
  const answers = await Promise.all(paths.map((path) => fetch(server.url + path)));
  await server.close(0);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [400, 400, 400, 400, 200],
  );
  assert.deepEqual(served, ['/connect/done/%2500']);
});

test('a connection that a client opened ahead of need does not hold up the stop', async () => {
  const fronts = { mcp: null, rest: null, more: [], origins, readiness, metrics, answered, version: '1' };
  const server = await listen('127.0.0.1', 0, fronts);
  const ahead = connect(Number(new URL(server.url).port), '127.0.0.1');
  await once(ahead, 'connect');
  // An answer shows that the server has taken the connection before it.
  await (await fetch(server.url)).text();
  const closed = once(ahead, 'close');
  // Longer than a test may take: only the stop itself can end the connection.
  await server.close(600_000);
  await closed;
  assert.equal(ahead.destroyed, true);
});

test('a stop waits for the answer on a connection that somebody else accepted, whichever way it is read', async (t) => {
  for (const more of ['', 'connection: close\r\n']) {
    const served = Promise.withResolvers<HttpResponse>();
    const mcp = async (_request: HttpRequest, response: HttpResponse) => served.resolve(response);
    const fronts = { mcp, rest: null, more: [], origins, readiness, metrics, answered, version: '1' };
    const server = await listen('127.0.0.1', 0, fronts);
    const other = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    t.after(() => other.close());
    await once(other, 'listening');
    const client = connect((other.address() as AddressInfo).port, '127.0.0.1');
    const [accepted] = (await once(other, 'connection')) as [Socket];
    server.goOn(
      accepted,
      Buffer.from(`POST /mcp/a HTTP/1.1\r\nhost: a\r\n${more}content-length: 2\r\n\r\n{}`),
    );
    const response = await served.promise;
    let isClosed = false;
    const closing = server.close(600_000).then(() => {
      isClosed = true;
    });
    // Once nobody can connect any more, a server that counts only what it accepted has closed.
    const late = connect(Number(new URL(server.url).port), '127.0.0.1');
    const [{ code }] = (await once(late, 'error')) as [NodeJS.ErrnoException];
    assert.equal(code, 'ECONNREFUSED');
    await setImmediate();
    assert.equal(isClosed, false);
    response.writeHead(200, { 'content-length': 2 });
    response.end('ok');
    let text = '';
    for await (const chunk of client) text += chunk;
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok$/);
    await closing;
  }
});
