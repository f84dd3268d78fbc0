import { once } from 'node:events';
import type { InvokeResponse, WorkerToolOutput } from '@sallyport/contracts';
import { z } from 'zod';
import {
  ContextRequiredToolError,
  createServer,
  FatalToolError,
  NetworkTransportError,
  RetryableToolError,
  type ToolServer,
  UpstreamError,
} from '../src/index.ts';
import { signWorkerToken } from './sign-worker-token.ts';

const secret = 'a worker secret of thirty-two bytes or more';

export type Answer = InvokeResponse & { output: WorkerToolOutput };

/** A running worker with a tool for everything a call can come to, and a gateway's way of calling it. */
export async function startWorkerKit() {
  const waiting = Promise.withResolvers<AbortSignal>();
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
      requires: {
        authorization: { providerId: 'github' },
        secrets: ['KEY', 'ABSENT'],
        metadata: ['client_id'],
      },
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
  app.tool(
    { name: 'Token', description: 'x', requires: { authorization: { id: 'hooli' } } },
    (_input, { authorization }) => authorization.token,
  );
  app.tool({ name: 'Undeclared', description: 'x' }, (_input, { authorization }) => authorization.token);
  app.tool({ name: 'Nothing', description: 'Nothing', input: nothing }, () => undefined);
  addToolsThatFail(app);
  app.tool({ name: 'Ask', description: 'Ask' }, (_input, { elicit }) =>
    elicit({ message: 'sure?', schema: z.object({ sure: z.boolean() }) }),
  );
  app.tool({ name: 'Wait', description: 'Wait' }, async (_input, { signal }) => {
    waiting.resolve(signal);
    await once(signal, 'abort');
  });
  const server = await app.listen({ port: 0, workerSecret: secret, env: {} });
  const headers = { authorization: `Bearer ${signWorkerToken(secret)}`, 'content-type': 'application/json' };
  const post = (body: unknown, more: Record<string, string> = {}): Promise<Response> =>
    fetch(`${server.url}/worker/tools/invoke`, {
      method: 'POST',
      headers: { ...headers, ...more },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const invoke = async (name: string, inputs: object = {}, more: object = {}): Promise<Answer> => {
    const answer = await post({ tool: { name, toolkit: 'Kit', version: '1.2.3' }, inputs, ...more });
    return (await answer.json()) as Answer;
  };
  /** `waiting` gives the signal of the first call of the tool Wait, which only ends when it is aborted. */
  return { url: server.url, stop: server.stop, headers, post, invoke, waiting: waiting.promise };
}

function addToolsThatFail(app: ToolServer): void {
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
  app.tool(
    {
      name: 'Gone',
      description: 'Gone',
      input: z.object({ reason: z.enum(['timeout', 'unreachable']).optional() }),
    },
    ({ reason }) => {
      throw new NetworkTransportError('no answer', reason === undefined ? {} : { reason });
    },
  );
}
