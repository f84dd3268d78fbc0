import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createEgress } from '#egress';
import { manualClock } from '#foundation';
import { type Endpoint, exchange, tell } from './exchange.ts';

test('a server that never takes what it asks for is told only so much at once', async () => {
  let asked = 0;
  const server = createServer((request, response) => {
    if (request.url === '/last') response.end();
    else asked++;
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const egress = createEgress({ allow: ['127.0.0.0/8'] });
  const { port } = server.address() as AddressInfo;
  const opened = egress.upstream(`http://127.0.0.1:${port}/`, 'api');
  assert.ok(opened.ok);
  const rest = { headers: '', retry: 0, maxAnswerBytes: 1000, clock: manualClock() };
  const endpoint: Endpoint = { upstream: opened.value, path: '/', ...rest };
  for (let count = 0; count < 400; count++) void tell(endpoint, '', { id: count, result: {} });
  const last = { id: 1, body: '{}', headers: '', timeoutMs: 5000, signal: null, harmless: true };
  await exchange({ ...endpoint, path: '/last' }, { ...last, onMessage: null });
  while (asked < 200) await once(server, 'request');
  assert.equal(asked, 200);
  egress.close();
  server.closeAllConnections();
  server.close();
});

test('an event stream that only ever says something else ends', async () => {
  const clock = manualClock();
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: {"jsonrpc":"2.0","method":"notifications/message"}\n\n'.repeat(2));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const egress = createEgress({ allow: ['127.0.0.0/8'] });
  const { port } = server.address() as AddressInfo;
  const opened = egress.upstream(`http://127.0.0.1:${port}/`, 'api');
  assert.ok(opened.ok);
  const endpoint: Endpoint = {
    upstream: opened.value,
    path: '/',
    headers: '',
    retry: 0,
    maxAnswerBytes: 1000,
    clock,
  };
  const outcome = await exchange(endpoint, {
    id: 1,
    body: '{}',
    headers: '',
    timeoutMs: 100 * 3_600_000,
    signal: null,
    harmless: false,
    onMessage: () => clock.advance(24 * 3_600_000),
  });
  assert.ok(!outcome.ok);
  assert.equal(outcome.error.kind, 'timeout');
  egress.close();
  server.closeAllConnections();
  server.close();
});

test('a stream that the server ends and numbers is taken up where it ended', async () => {
  const clock = manualClock();
  const lastIds: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    if (request.method === 'GET') lastIds.push(request.headers['last-event-id'] as string);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const events = [
      'id: a\nretry: 200\ndata:\n\n',
      ': still at it\n\n',
      'id: b\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\n',
    ];
    response.end(events[lastIds.length]);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const egress = createEgress({ allow: ['127.0.0.0/8'] });
  const { port } = server.address() as AddressInfo;
  const opened = egress.upstream(`http://127.0.0.1:${port}/`, 'api');
  assert.ok(opened.ok);
  const endpoint = { upstream: opened.value, path: '/', headers: '', retry: 0, maxAnswerBytes: 1000, clock };
  const rest = { headers: '', timeoutMs: 5000, signal: null, harmless: false, onMessage: null };
  let isDone = false;
  const answered = exchange(endpoint, { id: 1, body: '{}', ...rest }, true).finally(() => {
    isDone = true;
  });
  while (!isDone) {
    clock.advance(50);
    await setImmediate();
  }
  const outcome = await answered;
  assert.ok(outcome.ok && outcome.value.kind === 'result');
  assert.deepEqual(lastIds, ['a', 'a']);
  egress.close();
  server.closeAllConnections();
  server.close();
});
