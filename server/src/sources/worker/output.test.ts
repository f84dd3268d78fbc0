import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { largeValueOf, parseInvokeAnswer } from './output.ts';

const parse = (answer: unknown) => parseInvokeAnswer(Buffer.from(JSON.stringify(answer)));

function parsed(answer: unknown) {
  const result = parse(answer);
  assert.ok(result.ok, result.ok ? '' : result.error);
  return result.value;
}

describe('the answer of a worker', () => {
  it('gives the value, and "" for nothing', () => {
    assert.deepEqual(parsed({ success: true, output: { value: { a: 1 } } }).output.value, { a: 1 });
    for (const output of [{ value: null }, {}, null, undefined]) {
      assert.deepEqual(parsed({ success: true, output }), { output: { value: '' }, isError: false });
    }
    assert.equal(parsed({ success: true, output: { value: 0 } }).output.value, 0);
  });

  it('gives the same error in both dialects, with the stack trace in one place', () => {
    const python = {
      message: 'boom',
      kind: 'TOOL_RUNTIME_FATAL',
      developer_message: null,
      can_retry: false,
      additional_prompt_content: null,
      retry_after_ms: null,
      stacktrace: 'at x',
      status_code: 500,
      extra: { service: 's' },
    };
    const typescript = {
      message: 'boom',
      kind: 'tool_runtime_fatal',
      can_retry: false,
      status_code: 500,
      extra: { service: 's', stacktrace: 'at x' },
    };
    const one = parsed({ success: false, output: { value: null, logs: null, error: python } });
    const other = parsed({ success: false, output: { error: typescript } });
    assert.deepEqual(one, other);
    assert.equal(one.isError, true);
    assert.equal(one.output.error?.stacktrace, 'at x');
    assert.deepEqual(one.output.error?.extra, { service: 's' });
  });

  it('calls a kind that nobody knows UNKNOWN, and a failure without words a failure', () => {
    const odd = parsed({ success: false, output: { error: { kind: 'nope', message: 1 } } });
    assert.equal(odd.output.error?.kind, 'UNKNOWN');
    assert.equal(parsed({ success: false }).output.error?.kind, 'UNKNOWN');
  });

  it('keeps logs and the authorization that is asked for', () => {
    const requires_authorization = { authorization_url: 'https://x.test', scopes: [] };
    const { output } = parsed({
      success: false,
      output: {
        logs: [{ message: 'old', level: 'warning', subtype: 'deprecation' }],
        requires_authorization,
      },
    });
    assert.deepEqual(output.logs, [{ message: 'old', level: 'warning', subtype: 'deprecation' }]);
    assert.deepEqual(output.requires_authorization, requires_authorization);
    assert.equal(output.error?.kind, 'TOOL_REQUIREMENTS_NOT_MET');
  });

  it('that is garbage is refused with what is wrong', () => {
    for (const text of ['', 'Internal Server Error', '<html>', '[]', '{}', '{"success":1}', 'null']) {
      assert.equal(parseInvokeAnswer(Buffer.from(text)).ok, false, text);
    }
    for (const output of [[], 'x', { error: 'x' }]) {
      assert.equal(parse({ success: true, output }).ok, false);
    }
  });

  it('never throws and never lets a stack trace into extra, whatever comes', () => {
    const member = fc.oneof(fc.jsonValue(), fc.constantFrom('success', true, false));
    const error = fc.record(
      { message: member, kind: member, stacktrace: member, extra: fc.dictionary(fc.string(), member) },
      { requiredKeys: [] },
    );
    const output = fc.oneof(
      fc.jsonValue(),
      fc.record({ value: member, error, logs: member }, { requiredKeys: [] }),
    );
    const answer = fc.record({ success: fc.oneof(fc.boolean(), member), output }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.oneof(answer, fc.jsonValue()), (given) => {
        const result = parse(given);
        if (!result.ok) return typeof result.error === 'string';
        const { error: told } = result.value.output;
        return result.value.isError === (told != null) && !Object.hasOwn(told?.extra ?? {}, 'stacktrace');
      }),
    );
    fc.assert(fc.property(fc.uint8Array(), (bytes) => parseInvokeAnswer(Buffer.from(bytes)).ok === false));
  });
});

describe('a large answer of a worker', () => {
  const filler = 'a "quoted" é \\ line\n'.repeat(5000);
  const textOf = (answer: unknown) => largeValueOf(Buffer.from(JSON.stringify(answer)))?.toString() ?? null;

  it('gives the text of its value, whatever that is', () => {
    for (const value of [filler, { text: filler }, [filler, 1], { value: filler, error: { message: 'x' } }]) {
      const answer = { execution_id: 'x', success: true, output: { logs: [], value, error: null } };
      assert.equal(textOf(answer), JSON.stringify(value));
    }
  });

  it('is read as a whole where it is small, failed, asks for something or is no answer', () => {
    const output = { value: filler };
    assert.equal(textOf({ success: true, output: { value: 'small' } }), null);
    assert.equal(textOf({ success: false, output }), null);
    assert.equal(textOf({ success: true, output: { ...output, error: { message: 'x' } } }), null);
    assert.equal(textOf({ success: true, output: { ...output, requires_authorization: {} } }), null);
    assert.equal(textOf({ success: true, output: filler }), null);
    assert.equal(textOf({ output }), null);
    assert.equal(textOf(filler), null);
    const text = JSON.stringify({ success: true, output });
    for (const other of [text.slice(0, -1), `${text}x`, text.replace('"value"', '"value":1,"value"')])
      assert.equal(largeValueOf(Buffer.from(other)), null);
    assert.equal(largeValueOf(Buffer.from(text.replace('é', '\xff'), 'latin1')), null);
  });
});
