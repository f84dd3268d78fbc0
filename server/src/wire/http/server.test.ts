import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { createOriginPolicy } from './origin.ts';
import { listen } from './server.ts';

test('a connection that a client opened ahead of need does not hold up the stop', async () => {
  const readiness = async () => ({ ready: true, checks: {} });
  const origins = createOriginPolicy({ bindHost: '127.0.0.1', publicUrl: null });
  const fronts = { mcp: null, rest: null, more: [], origins, readiness, version: '1' };
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
