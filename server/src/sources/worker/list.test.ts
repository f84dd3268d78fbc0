import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '#foundation';
import { createListBody, refusedBy } from './list.ts';

const head = (status: number) => ({ status, header: () => undefined });
const bounds = { maxBytes: 1000, idleTimeoutMs: 1000, timeoutMs: 1000, clock: systemClock };

test('an answer that is no list of tools is told with what to change', () => {
  const cases: [number, RegExp][] = [
    [401, /its secret .* differ/],
    [404, /ARCADE_WORKER_SECRET.*correct the uri, or register an MCP server with mcp/],
    [302, /set the uri to where it leads/],
    [500, /HTTP 500.*log/],
  ];
  for (const [status, words] of cases)
    assert.match(refusedBy(head(status), 'http://worker')?.message ?? '', words);
  assert.equal(refusedBy(head(200), 'http://worker'), null);
});

test('one that is no array is told with what it is', async () => {
  const cases: [string, RegExp][] = [
    ['<html>', /not JSON; is the uri/],
    ['{}', /not a JSON array: is it an Arcade worker/],
    ['[1,', /not JSON; is the uri/],
  ];
  for (const [text, words] of cases) {
    const body = createListBody(null, bounds, () => assert.fail());
    body.take(Buffer.from(text), () => undefined);
    assert.equal(await body.intake.end(), 'no array');
    assert.match(body.noArray().message, words);
  }
});

test('one that is larger than it may be is not read on, and what was lent is given back', () => {
  let [aborted, given] = [0, 0];
  const body = createListBody(null, bounds, () => aborted++);
  for (let at = 0; at < 3; at++) body.take(Buffer.alloc(600, 0x20), () => given++);
  assert.ok(aborted > 0);
  assert.equal(body.refusal?.kind, 'too_large');
  assert.equal(given, 2);
});
