import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
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
