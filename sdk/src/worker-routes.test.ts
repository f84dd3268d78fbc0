import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { after, before, describe, it } from 'node:test';
import type { InvokeResponse, WorkerToolOutput } from '@sallyport/contracts';
import { z } from 'zod';
import { signWorkerToken } from '../test/sign-worker-token.ts';
import {
  ContextRequiredToolError,
  createServer,
  FatalToolError,
  RetryableToolError,
  type RunningServer,
  UpstreamError,
} from './index.ts';

const secret = 'a worker secret of thirty-two bytes or more';
const jsonHeaders = {
  authorization: `Bearer ${signWorkerToken(secret)}`,
  'content-type': 'application/json',
};

let server: RunningServer;
const waiting = Promise.withResolvers<AbortSignal>();

before(async () => {
  const app = createServer({ name: 'Kit', version: '1.2.3' });
  const nothing = z.object({});
  app.tool(
    {
      name: 'Greet',
      description: 'Greet',
      input: z.object({ name: z.string(), times: z.number().int().default(1) }),
      output: z.string(),
      deprecated: 'use Hail',
    },
    ({ name, times }, { log }) => {
      log.warn('greeting');
      return `hello ${name}`.repeat(times);
    },
  );
  app.tool(
    {
      name: 'Context',
      description: 'Context',
      requires: { secrets: ['KEY', 'ABSENT'], metadata: ['client_id'] },
    },
    (_input, { userId, authorization, secrets, metadata, executionId }) => ({
      userId,
      authorization,
      key: secrets.get('KEY'),
      metadata,
      executionId,
    }),
  );
  app.tool(
    {
      name: 'Secrets',
      description: 'x',
      input: z.object({ key: z.string() }),
      requires: { secrets: ['ABSENT'] },
    },
    ({ key }, { secrets }) => secrets.get(key),
  );
  app.tool({ name: 'Nothing', description: 'Nothing', input: nothing }, () => undefined);
  app.tool({ name: 'Lies', description: 'Lies', output: z.number().max(1) }, () => 2);
  app.tool({ name: 'Cycle', description: 'Cycle' }, () => 1n);
  app.tool({ name: 'Boom', description: 'Boom' }, () => {
    throw new Error('password is hunter2');
  });
  app.tool({ name: 'Retry', description: 'Retry' }, () => {
    throw new RetryableToolError('again', {
      developerMessage: 'for you',
      additionalPromptContent: 'try ids',
      retryAfterMs: 1500,
    });
  });
  app.tool({ name: 'Fatal', description: 'Fatal' }, () => {
    throw new FatalToolError('broken');
  });
  app.tool({ name: 'Required', description: 'Required' }, () => {
    throw new ContextRequiredToolError('which one?', { additionalPromptContent: 'ask the user' });
  });
  app.tool({ name: 'Up', description: 'Up', input: z.object({ status: z.number() }) }, ({ status }) => {
    throw new UpstreamError('upstream said no', { statusCode: status, extra: { service: 'x' } });
  });
  app.tool({ name: 'Ask', description: 'Ask' }, (_input, { elicit }) =>
    elicit({ message: 'sure?', schema: z.object({ sure: z.boolean() }) }),
  );
  app.tool({ name: 'Wait', description: 'Wait' }, async (_input, { signal }) => {
    waiting.resolve(signal);
    await once(signal, 'abort');
  });
  server = await app.listen({ port: 0, workerSecret: secret, env: {} });
});

after(() => server.stop());

type Answer = InvokeResponse & { output: WorkerToolOutput };

async function invoke(name: string, inputs: object = {}, more: object = {}): Promise<Answer> {
  const answer = await post({ tool: { name, toolkit: 'Kit', version: '1.2.3' }, inputs, ...more });
  return (await answer.json()) as Answer;
}

function post(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${server.url}/worker/tools/invoke`, {
    method: 'POST',
    headers: { ...jsonHeaders, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

const noError = {
  developer_message: null,
  can_retry: false,
  additional_prompt_content: null,
  retry_after_ms: null,
  stacktrace: null,
  status_code: null,
  extra: null,
};

describe('the worker routes', () => {
  it('say the server is healthy, and how many tools it has, to anybody', async () => {
    const answer = await fetch(`${server.url}/worker/health`);
    assert.deepEqual([answer.status, await answer.json()], [200, { status: 'ok', tool_count: '13' }]);
  });

  it('refuse a call without a token', async () => {
    const list = await fetch(`${server.url}/worker/tools`);
    assert.equal(list.headers.get('www-authenticate'), 'Bearer');
    assert.deepEqual([list.status, await list.json()], [401, { detail: 'Not authenticated' }]);
    const call = await post({}, { authorization: 'Basic x' });
    assert.deepEqual([call.status, await call.json()], [401, { detail: 'Not authenticated' }]);
  });

  it('refuse a call with a bad token, and say what is wrong with it', async () => {
    const call = await post({}, { authorization: `Bearer ${signWorkerToken('other')}` });
    assert.equal(call.headers.get('www-authenticate'), 'Bearer');
    assert.deepEqual(
      [call.status, await call.json()],
      [401, { detail: 'Invalid token. Error: Signature verification failed' }],
    );
  });

  it('are not there without a worker secret', async () => {
    const bare = await createServer({ name: 'Kit', version: '1.0.0' }).listen({ port: 0, env: {} });
    const health = await fetch(`${bare.url}/worker/health`);
    await bare.stop();
    assert.deepEqual([health.status, await health.json()], [404, { error: 'not found' }]);
  });

  it('ask for no token where authentication is turned off', async () => {
    const open = await createServer({ name: 'Kit', version: '1.0.0' }).listen({
      port: 0,
      env: { ARCADE_AUTH_DISABLED: 'true', ARCADE_WORKER_SECRET: 'temp-validation-secret' },
    });
    const list = await fetch(`${open.url}/worker/tools`);
    await open.stop();
    assert.deepEqual([list.status, await list.json()], [200, []]);
  });

  it('answer another method with the one that is allowed', async () => {
    const answer = await fetch(`${server.url}/worker/tools/invoke`);
    assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'POST']);
  });
});

describe('a call', () => {
  it('answers with the value, the logs and the id of the execution', async () => {
    const { finished_at, duration, ...answer } = await invoke(
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
    const found = await post({ tool: { name: 'GREET' }, inputs: { name: 'Ann' } });
    const answer = (await found.json()) as Answer;
    assert.deepEqual([answer.execution_id, answer.output.value], ['', 'hello Ann']);
  });

  it('gives the handler what the gateway sent', async () => {
    const { output } = await invoke(
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

  it('turns a result of nothing into empty text', async () => {
    assert.equal((await invoke('Nothing')).output.value, '');
  });

  it('is aborted when the caller disconnects', async () => {
    const call = httpRequest(`${server.url}/worker/tools/invoke`, { method: 'POST', headers: jsonHeaders });
    call.on('error', () => {});
    call.end(JSON.stringify({ tool: { name: 'Wait' } }));
    const signal = await waiting.promise;
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
      const { success, output } = await invoke(tool, inputs);
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
      const { error } = (await invoke('Up', { status })).output;
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
    const { stacktrace, ...error } = (await invoke('Boom')).output.error ?? {};
    assert.match(stacktrace ?? '', /hunter2[\s\S]+worker-routes\.test\.ts/);
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

describe('a request that is no call', () => {
  const refused: Record<
    string,
    [body: unknown, headers: Record<string, string>, status: number, error: RegExp]
  > = {
    'for an unknown tool': [{ tool: { name: 'No', toolkit: 'Kit' } }, {}, 404, /^Tool 'Kit\.No' not found$/],
    'for another toolkit': [
      { tool: { name: 'Greet', toolkit: 'X' } },
      {},
      404,
      /^Tool 'X\.Greet' not found$/,
    ],
    'for another version': [
      { tool: { name: 'Greet', toolkit: 'Kit', version: '9.0.0' } },
      {},
      404,
      /^Tool 'Kit\.Greet@9\.0\.0' not found$/,
    ],
    'without a tool': [{ inputs: {} }, {}, 400, /^body\.tool: /],
    'with inputs that are a list': [{ tool: { name: 'Greet' }, inputs: [] }, {}, 400, /^body\.inputs: /],
    'that is not JSON': ['{"tool"', {}, 400, /not valid JSON/],
    'that is not sent as JSON': ['{}', { 'content-type': 'text/plain' }, 415, /application\/json/],
    'over 4 MiB': [JSON.stringify('x'.repeat(4 * 1024 * 1024)), {}, 413, /larger than 4194304 bytes/],
  };
  for (const [name, [body, headers, status, error]] of Object.entries(refused)) {
    it(`${name} is refused with ${status}`, async () => {
      const answer = await post(body, headers);
      assert.equal(answer.status, status);
      assert.match(((await answer.json()) as { error: string }).error, error);
    });
  }

  it('over 4 MiB without saying its length is refused with 413', async () => {
    const call = httpRequest(`${server.url}/worker/tools/invoke`, { method: 'POST', headers: jsonHeaders });
    call.on('error', () => {});
    for (let sent = 0; sent <= 4; sent++) call.write(Buffer.alloc(1024 * 1024, 32));
    const [answer] = await once(call, 'response');
    assert.equal(answer.statusCode, 413);
    call.destroy();
  });
});
