import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { errorMessage, parseBody, resultMessage } from './rpc.ts';

test('any bytes at all are a message, a batch or a refusal with a message', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => Buffer.from(text)),
      ),
      (bytes) => {
        const parsed = parseBody(Buffer.from(bytes));
        if (!parsed.ok) assert.ok(parsed.error.message.length > 0);
      },
    ),
  );
});

test('any object that looks like JSON-RPC is taken as what it is, or refused by the member at fault', () => {
  const anything = fc.oneof(fc.constantFrom('2.0', 'ping', 1, 'a', null, {}, []), fc.jsonValue());
  const message = fc.record(
    { jsonrpc: anything, id: anything, method: anything, params: anything, result: anything },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(message, (value) => {
      const parsed = parseBody(Buffer.from(JSON.stringify(value)));
      if (!parsed.ok) {
        assert.ok(
          ['jsonrpc', 'id', 'method', 'params', 'params._meta', undefined].includes(parsed.error.field),
        );
        return;
      }
      assert.ok(!Array.isArray(parsed.value));
      assert.equal(value.jsonrpc, '2.0');
      if (parsed.value.kind === 'request') assert.equal(parsed.value.id, value.id);
    }),
  );
});

test('nesting of 64 levels passes, deeper is refused', () => {
  const nested = (levels: number) => {
    const inner = `${'['.repeat(levels - 2)}${']'.repeat(levels - 2)}`;
    return parseBody(Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":${inner}}}`));
  };
  assert.equal(nested(64).ok, true);
  const refused = nested(65);
  assert.equal(!refused.ok && refused.error.code, 'request.too_deep');
  const huge = parseBody(Buffer.from('['.repeat(1_000_000)));
  assert.equal(!huge.ok && huge.error.code, 'request.malformed');
});

test('an answer is the same message whether its result is text or bytes', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.integer()), fc.jsonValue(), (id, result) => {
      const text = JSON.stringify(result);
      const expected = { jsonrpc: '2.0', id, result: JSON.parse(text) };
      assert.deepEqual(JSON.parse(resultMessage(id, text).toString()), expected);
      assert.deepEqual(JSON.parse(resultMessage(id, Buffer.from(text)).toString()), expected);
    }),
  );
});

test('an error carries its number, its stable code and the field, and no reason', () => {
  const refusal = { code: 'identity.invalid', message: 'm', field: 'f', reason: 'secret detail' } as const;
  assert.deepEqual(JSON.parse(errorMessage(7, refusal)), {
    jsonrpc: '2.0',
    id: 7,
    error: { code: -32600, message: 'm', data: { name: 'identity.invalid', field: 'f' } },
  });
});
