import assert from 'node:assert/strict';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { Exchange } from '../exchange.ts';
import type { McpDeps } from '../front.ts';
import { createHttpSse } from './http-sse.ts';

test('streams of a key, and of all, are bounded; each that closes makes room', () => {
  const httpSse = createHttpSse({ streams: { hold() {} } } as unknown as McpDeps);
  const responses: ServerResponse[] = [];
  function open(keyId: string): string {
    const request = new IncomingMessage(new Socket());
    request.url = '/mcp/one';
    const response = new ServerResponse(request);
    responses.push(response);
    const caller = { principal: { id: keyId }, userId: 'alice' };
    const view = { gateway: { id: 'gw_1', slug: 'one' } };
    const opened = httpSse.open(new Exchange(request, response, caller as never, view as never, 0));
    return opened.ok ? 'open' : opened.error.refusal.code;
  }

  for (const key of ['a', 'b', 'c', 'd']) {
    for (const _ of Array(1000)) assert.equal(open(key), 'open');
    assert.equal(open(key), 'session.limit');
  }
  for (const _ of Array(999)) assert.equal(open('e'), 'open');
  assert.equal(open('f'), 'open');
  assert.equal(open('e'), 'session.limit');
  responses[0]?.emit('close');
  assert.equal(open('e'), 'open');
  assert.equal(open('a'), 'session.limit');
});
