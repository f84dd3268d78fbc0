import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entriesOf, noArray } from './list.ts';

const answer = (status: number, body: string) => ({ status, headers: {}, body: Buffer.from(body) }) as never;

test('an answer that is no list of tools is told with what to change', () => {
  const cases: [number, string, RegExp][] = [
    [401, '', /its secret .* differ/],
    [404, '', /ARCADE_WORKER_SECRET.*correct the uri, or register an MCP server with mcp/],
    [302, '', /set the uri to where it leads/],
    [500, 'Internal Server Error', /HTTP 500.*log/],
  ];
  for (const [status, body, words] of cases) {
    const entries = entriesOf(answer(status, body), 'http://worker');
    assert.ok(!entries.ok);
    assert.match(entries.error.message, words);
  }
});

test('one that is no array is told with what it is', () => {
  assert.match(noArray(answer(200, '<html>')).message, /not JSON; is the uri/);
  assert.match(noArray(answer(200, '{}')).message, /not a JSON array: is it an Arcade worker/);
  assert.match(noArray(answer(200, '[1,')).message, /not JSON; is the uri/);
});
