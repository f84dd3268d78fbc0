import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ErrorCode, errorCodes, toolErrorKinds } from '@sallyport/contracts';
import { refusal, type SourceReturn } from '#domain';
import { outputOf, outputOfRefusal } from './output.ts';

function mcp(result: object, isError = false): SourceReturn {
  return { form: 'mcp', result: Buffer.from(JSON.stringify(result)), isError };
}

describe("a worker's answer", () => {
  const error = {
    message: 'no',
    kind: 'TOOL_RUNTIME_RETRY',
    can_retry: true,
    developer_message: null,
    additional_prompt_content: 'try b',
    retry_after_ms: 5,
    stacktrace: 'at x',
    extra: { stacktrace: 'at x', service: 's' },
  } as const;
  const failed: SourceReturn = { form: 'worker', output: { error }, isError: true };

  it('shows its stack trace only to those who asked', () => {
    assert.deepEqual(outputOf(failed, false).error, {
      message: 'no',
      kind: 'TOOL_RUNTIME_RETRY',
      can_retry: true,
      additional_prompt_content: 'try b',
      retry_after_ms: 5,
      extra: { service: 's' },
    });
    assert.equal(outputOf(failed, true).error?.stacktrace, 'at x');
  });

  it('of nothing is null', () => {
    assert.deepEqual(outputOf({ form: 'worker', output: {}, isError: false }, false), { value: null });
  });

  it('that failed without saying why is still an error', () => {
    const { error: said } = outputOf({ form: 'worker', output: {}, isError: true }, false);
    assert.equal(said?.kind, 'TOOL_RUNTIME_FATAL');
  });
});

describe("an MCP tool's answer", () => {
  const text = (value: string) => ({ type: 'text', text: value });

  it('is its structured content, unwrapped where it only wraps a result', () => {
    assert.deepEqual(outputOf(mcp({ content: [text('{}')], structuredContent: { a: 1 } }), false), {
      value: { a: 1 },
    });
    assert.deepEqual(outputOf(mcp({ structuredContent: { result: 5 } }), false), { value: 5 });
  });

  it('is the text of a single text block, not parsed', () => {
    assert.deepEqual(outputOf(mcp({ content: [text('{"a":1}')] }), false), { value: '{"a":1}' });
  });

  it('is all blocks where there are several', () => {
    const content = [text('a'), { type: 'image', data: 'x', mimeType: 'image/png' }];
    assert.deepEqual(outputOf(mcp({ content }), false), { value: content });
  });

  it('that is an error tells its text', () => {
    const { error } = outputOf(
      mcp({ content: [text('broken'), text('really')], isError: true }, true),
      false,
    );
    assert.deepEqual(error, { message: 'broken\nreally', kind: 'TOOL_RUNTIME_FATAL', can_retry: false });
  });
});

describe('a refused call', () => {
  it('is a failed execution of a kind that clients know, or stays a refusal', () => {
    for (const code of Object.keys(errorCodes) as ErrorCode[]) {
      const output = outputOfRefusal(refusal(code, 'no'));
      const isCall = /^(policy|source)\./.test(code);
      if (isCall) assert.ok(output.ok, code);
      if (output.ok)
        assert.ok(
          toolErrorKinds.some((kind) => kind === output.value.error?.kind),
          code,
        );
      else assert.equal(output.error.code, code);
    }
  });

  it('for want of consent is the refusal that clients look for', () => {
    const output = outputOfRefusal(refusal('credentials.consent_required', 'consent first'));
    assert.ok(!output.ok);
    assert.equal(errorCodes[output.error.code].status, 403);
  });

  it('for an argument names it as the request does', () => {
    const output = outputOfRefusal(
      refusal('catalog.arguments_invalid', 'must be number', { field: 'arguments.a' }),
    );
    assert.ok(output.ok);
    assert.equal(output.value.error?.message, 'input.a: must be number');
    assert.equal(output.value.error?.kind, 'TOOL_RUNTIME_BAD_INPUT_VALUE');
  });

  it('for an unknown tool names the field of the request', () => {
    const output = outputOfRefusal(refusal('catalog.tool_unknown', 'no such tool', { field: 'name' }));
    assert.ok(!output.ok);
    assert.equal(output.error.field, 'tool_name');
  });
});

it('a provider that is away is a failed execution that may be tried again, and a missing consent is a refusal', () => {
  const away = outputOfRefusal(refusal('credentials.provider_unavailable', 'later', { retryAfterMs: 2000 }));
  assert.ok(away.ok);
  const { kind, can_retry, retry_after_ms } = away.value.error ?? {};
  assert.deepEqual([kind, can_retry, retry_after_ms], ['NETWORK_TRANSPORT_RUNTIME_UNREACHABLE', true, 2000]);
  assert.equal(outputOfRefusal(refusal('credentials.consent_required', 'first')).ok, false);
});
