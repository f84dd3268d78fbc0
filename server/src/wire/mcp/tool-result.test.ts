import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { refusalResult, resultOf } from './tool-result.ts';

const ofWorker = (value: unknown) =>
  JSON.parse(resultOf({ form: 'worker', isError: false, output: { value } }).toString());

test('an object becomes the structured content, anything else is wrapped in `result`; the text says the same', () => {
  assert.deepEqual(ofWorker({ a: 1 }), {
    content: [{ type: 'text', text: '{"a":1}' }],
    structuredContent: { a: 1 },
    isError: false,
  });
  assert.deepEqual(ofWorker(3), {
    content: [{ type: 'text', text: '3' }],
    structuredContent: { result: 3 },
    isError: false,
  });
  assert.deepEqual(ofWorker(['x']).structuredContent, { result: ['x'] });
  assert.deepEqual(ofWorker('plain').content, [{ type: 'text', text: 'plain' }]);
  assert.deepEqual(ofWorker(null).structuredContent, { result: '' });
});

test('any value survives the way', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const { structuredContent, content } = ofWorker(value);
      const plain = JSON.parse(JSON.stringify(value));
      const isObject = typeof plain === 'object' && plain !== null && !Array.isArray(plain);
      assert.deepEqual(isObject ? structuredContent : structuredContent.result, plain ?? '');
      assert.equal(typeof content[0].text, 'string');
    }),
  );
});

test("a tool's error is readable for the model and keeps what a client may act upon; no stack trace", () => {
  const error = {
    message: 'slow down',
    kind: 'UPSTREAM_RUNTIME_RATE_LIMIT',
    can_retry: true,
    retry_after_ms: 1500,
    status_code: 429,
    additional_prompt_content: 'Wait a little.',
    stacktrace: 'at secret.py:1',
  } as const;
  const text = resultOf({ form: 'worker', isError: true, output: { error } }).toString();
  assert.ok(!text.includes('secret.py'));
  const result = JSON.parse(text);
  assert.equal(result.isError, true);
  assert.equal(result.structuredContent, undefined);
  assert.equal(result.content[0].text, 'slow down\n\nWait a little.');
  assert.deepEqual(result._meta.arcade, {
    errorKind: 'UPSTREAM_RUNTIME_RATE_LIMIT',
    canRetry: true,
    additionalPromptContent: 'Wait a little.',
    retryAfterMs: 1500,
    statusCode: 429,
  });
});

test('a result of an MCP source is relayed as its own bytes', () => {
  const result = Buffer.from('{"content":[ {"type":"odd","vendor":1} ]}');
  assert.equal(resultOf({ form: 'mcp', result, isError: false }), result);
});

test('a refusal that a model can act upon names its code and the field', () => {
  const result = JSON.parse(
    refusalResult({
      code: 'catalog.arguments_invalid',
      message: 'arguments.a must be integer',
      field: 'arguments.a',
    }),
  );
  assert.equal(result.isError, true);
  assert.deepEqual(result._meta['sallyport/refusal'], {
    code: 'catalog.arguments_invalid',
    canRetry: false,
    field: 'arguments.a',
  });
});

test('a refusal tells a program what it waits for, and no structured content that would have to fit the tool', () => {
  const details = { approval: { id: 'apr_1', status: 'pending' } };
  const held = refusalResult({ code: 'policy.approval_required', message: 'it waits', details });
  const { _meta, ...result } = JSON.parse(held);
  assert.deepEqual(_meta['sallyport/refusal'], {
    code: 'policy.approval_required',
    canRetry: true,
    details,
  });
  assert.deepEqual(result, { content: [{ type: 'text', text: 'it waits' }], isError: true });
});
