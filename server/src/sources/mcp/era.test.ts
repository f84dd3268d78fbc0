import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ok } from '#foundation';
import { initialize } from './era.ts';
import type { Reply } from './transports/exchange.ts';
import type { Line } from './transports/transport.ts';

/** A server that refuses every version that it does not speak, instead of answering with its own. */
function strictServer(supported: readonly string[]) {
  const asked: string[] = [];
  const told: unknown[] = [];
  const line: Line = {
    isChannel: false,
    async request({ body }) {
      const { protocolVersion } = JSON.parse(body).params;
      asked.push(protocolVersion);
      const data = { supported, requested: protocolVersion };
      const error = { code: -32602, message: 'Unsupported protocol version', data };
      const result = { protocolVersion, capabilities: {}, serverInfo: { name: 'strict', version: '1' } };
      const reply: Reply = supported.includes(protocolVersion)
        ? { kind: 'result', result, bytes: Buffer.from(JSON.stringify(result)), head: null }
        : { kind: 'error', error, status: 200 };
      return ok(reply);
    },
    tell: async (message) => void told.push(message),
    listen: () => assert.fail('nobody listens yet'),
    end: async () => {},
  };
  return { asked, told, found: { line, authorizes: false } };
}

test('a server that refuses the newest version is asked for the newest that it speaks', async () => {
  const { asked, told, found } = strictServer(['2024-11-05', '2025-03-26']);
  const greeting = await initialize(found, {}, 1000);
  assert.ok(greeting.ok);
  assert.equal(greeting.value.version, '2025-03-26');
  assert.deepEqual(asked, ['2025-11-25', '2025-03-26']);
  assert.deepEqual(told, [{ method: 'notifications/initialized' }]);
});

test('a server that speaks no version of ours is asked once', async () => {
  const { asked, told, found } = strictServer(['2023-01-01']);
  const greeting = await initialize(found, {}, 1000);
  assert.match(greeting.ok ? '' : greeting.error.message, /Unsupported protocol version/);
  assert.deepEqual([asked, told], [['2025-11-25'], []]);
});
