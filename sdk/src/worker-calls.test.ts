import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { after, describe, it } from 'node:test';
import { type Answer, startWorkerKit } from '../test/worker-kit.ts';

const kit = await startWorkerKit();
after(() => kit.stop());

const noError = {
  developer_message: null,
  can_retry: false,
  additional_prompt_content: null,
  retry_after_ms: null,
  stacktrace: null,
  status_code: null,
  extra: null,
};

describe('a call', () => {
  it('answers with the value, the logs and the id of the execution', async () => {
    const { finished_at, duration, ...answer } = await kit.invoke(
      'Greet',
      { name: 'Ann' },
      { execution_id: 'te_1' },
    );
    assert.match(finished_at, /^\d{4}-\d\d-\d\dT[\d:.]+$/);
    assert.equal(typeof duration, 'number');
    assert.deepEqual(answer, {
      execution_id: 'te_1',
      success: true,
      output: {
        value: 'hello Ann',
        logs: [
          { message: 'use Hail', level: 'warning', subtype: 'deprecation' },
          { message: 'greeting', level: 'warning', subtype: null },
        ],
        error: null,
        requires_authorization: null,
      },
    });
  });

  it('finds a tool whatever case its name is in, with or without toolkit and version', async () => {
    const found = await kit.post({ tool: { name: 'GREET' }, inputs: { name: 'Ann' } });
    const answer = (await found.json()) as Answer;
    assert.deepEqual([answer.execution_id, answer.output.value], ['', 'hello Ann']);
  });

  it('gives the handler what the gateway sent', async () => {
    const { output } = await kit.invoke(
      'Context',
      {},
      {
        execution_id: 'te_2',
        context: {
          user_id: 'alice',
          authorization: { token: 'gho_1', user_info: { login: 'a' } },
          secrets: [{ key: 'KEY', value: 'v' }],
          metadata: [{ key: 'client_id', value: 'c' }],
        },
      },
    );
    assert.deepEqual(output.value, {
      userId: 'alice',
      authorization: { token: 'gho_1', userInfo: { login: 'a' } },
      key: 'v',
      metadata: { client_id: 'c' },
      executionId: 'te_2',
    });
  });

  it('never gets an authorization that the tool does not declare', async () => {
    const { success, output } = await kit.invoke(
      'Undeclared',
      {},
      { context: { authorization: { token: 'gho_1', user_info: {} } } },
    );
    assert.deepEqual([success, output.value], [false, null]);
  });

  it('turns a result of nothing into empty text', async () => {
    assert.equal((await kit.invoke('Nothing')).output.value, '');
  });

  it('is aborted when the caller disconnects', async () => {
    const call = httpRequest(`${kit.url}/worker/tools/invoke`, { method: 'POST', headers: kit.headers });
    call.on('error', () => {});
    call.end(JSON.stringify({ tool: { name: 'Wait' } }));
    const signal = await kit.waiting;
    assert.equal(signal.aborted, false);
    call.destroy();
    await once(signal, 'abort');
    assert.equal(signal.reason.message, 'the caller disconnected');
  });
});

describe('a call that fails', () => {
  const table: Record<string, [tool: string, inputs: object, error: object]> = {
    'for a field of the wrong type names the field': [
      'Greet',
      { name: 1 },
      {
        message: 'bad input "name": Invalid input: expected string, received number',
        kind: 'TOOL_RUNTIME_BAD_INPUT_VALUE',
        status_code: 400,
      },
    ],
    'for an unknown field names the field': [
      'Greet',
      { name: 'x', nome: 'y' },
      {
        message: 'unknown input "nome"; known: name, times',
        kind: 'TOOL_RUNTIME_BAD_INPUT_VALUE',
        status_code: 400,
      },
    ],
    'by asking to retry says when and how': [
      'Retry',
      {},
      {
        message: 'again',
        kind: 'TOOL_RUNTIME_RETRY',
        can_retry: true,
        developer_message: 'for you',
        additional_prompt_content: 'try ids',
        retry_after_ms: 1500,
      },
    ],
    'for good says so': ['Fatal', {}, { message: 'broken', kind: 'TOOL_RUNTIME_FATAL', status_code: 500 }],
    'for want of context says what is wanted': [
      'Required',
      {},
      {
        message: 'which one?',
        kind: 'TOOL_RUNTIME_CONTEXT_REQUIRED',
        additional_prompt_content: 'ask the user',
      },
    ],
    'by a result that breaks its promise does not return it': [
      'Lies',
      {},
      {
        message: "tool 'Lies' returned something other than it promises",
        kind: 'TOOL_RUNTIME_BAD_OUTPUT_VALUE',
        status_code: 500,
        developer_message: 'Too big: expected number to be <=1',
      },
    ],
    'by a result that JSON cannot hold': [
      'Cycle',
      {},
      {
        message: "tool 'Cycle' returned something other than it promises",
        kind: 'TOOL_RUNTIME_BAD_OUTPUT_VALUE',
        status_code: 500,
        developer_message: 'JSON cannot hold the value: Do not know how to serialize a BigInt',
      },
    ],
    'for a secret that was not sent names it': [
      'Secrets',
      { key: 'ABSENT' },
      { message: "secret 'ABSENT' was not given to this call", kind: 'TOOL_REQUIREMENTS_NOT_MET' },
    ],
    'for a secret that the tool does not declare says so': [
      'Secrets',
      { key: 'PATH' },
      {
        message: "secret 'PATH' is not declared: add it to requires.secrets of the tool",
        kind: 'TOOL_RUNTIME_FATAL',
      },
    ],
    'for an authorization that was not sent says so': [
      'Token',
      {},
      {
        message: 'the authorization of the user was not given to this call',
        kind: 'TOOL_REQUIREMENTS_NOT_MET',
      },
    ],
    'for an authorization that the tool does not declare says so': [
      'Undeclared',
      {},
      {
        message: 'no authorization is declared: add it to requires.authorization of the tool',
        kind: 'TOOL_RUNTIME_FATAL',
      },
    ],
    'because a service did not answer in time': [
      'Gone',
      { reason: 'timeout' },
      { message: 'no answer', kind: 'NETWORK_TRANSPORT_RUNTIME_TIMEOUT', can_retry: true },
    ],
    'because a service cannot be reached': [
      'Gone',
      { reason: 'unreachable' },
      { message: 'no answer', kind: 'NETWORK_TRANSPORT_RUNTIME_UNREACHABLE', can_retry: true },
    ],
    'because the way to a service broke': [
      'Gone',
      {},
      { message: 'no answer', kind: 'NETWORK_TRANSPORT_RUNTIME_UNMAPPED', can_retry: true },
    ],
    'because nobody can be asked': [
      'Ask',
      {},
      {
        message: 'the user cannot be asked during a call through the worker protocol',
        kind: 'TOOL_RUNTIME_CONTEXT_REQUIRED',
      },
    ],
  };
  for (const [name, [tool, inputs, error]] of Object.entries(table)) {
    it(name, async () => {
      const { success, output } = await kit.invoke(tool, inputs);
      assert.equal(success, false);
      assert.equal(output.value, null);
      assert.deepEqual(output.error, { ...noError, ...error });
    });
  }

  const upstream: [status: number, kind: string, canRetry: boolean][] = [
    [400, 'UPSTREAM_RUNTIME_BAD_REQUEST', false],
    [401, 'UPSTREAM_RUNTIME_AUTH_ERROR', false],
    [403, 'UPSTREAM_RUNTIME_AUTH_ERROR', false],
    [404, 'UPSTREAM_RUNTIME_NOT_FOUND', false],
    [422, 'UPSTREAM_RUNTIME_BAD_REQUEST', false],
    [429, 'UPSTREAM_RUNTIME_RATE_LIMIT', true],
    [503, 'UPSTREAM_RUNTIME_SERVER_ERROR', true],
    [302, 'UPSTREAM_RUNTIME_UNMAPPED', false],
  ];
  for (const [status, kind, canRetry] of upstream) {
    it(`because a service answered ${status} is ${kind}`, async () => {
      const { error } = (await kit.invoke('Up', { status })).output;
      assert.deepEqual(error, {
        ...noError,
        message: 'upstream said no',
        kind,
        can_retry: canRetry,
        status_code: status,
        extra: { service: 'x' },
      });
    });
  }

  it('unexpectedly keeps the text of the exception in the stack trace', async () => {
    const { stacktrace, ...error } = (await kit.invoke('Boom')).output.error ?? {};
    assert.match(stacktrace ?? '', /hunter2[\s\S]+worker-kit\.ts/);
    assert.deepEqual(
      { stacktrace: null, ...error },
      {
        ...noError,
        message: "error during execution of tool 'Boom'",
        kind: 'TOOL_RUNTIME_FATAL',
        status_code: 500,
      },
    );
  });
});
