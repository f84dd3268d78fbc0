import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { after, describe, it } from 'node:test';
import { signWorkerToken } from '../test/sign-worker-token.ts';
import { startWorkerKit } from '../test/worker-kit.ts';
import { createServer } from './index.ts';

const kit = await startWorkerKit();
after(() => kit.stop());

describe('the worker routes', () => {
  it('say the server is healthy, and how many tools it has, to anybody', async () => {
    const answer = await fetch(`${kit.url}/worker/health`);
    assert.deepEqual([answer.status, await answer.json()], [200, { status: 'ok', tool_count: '16' }]);
  });

  it('refuse a call without a token', async () => {
    const list = await fetch(`${kit.url}/worker/tools`);
    assert.equal(list.headers.get('www-authenticate'), 'Bearer');
    assert.deepEqual([list.status, await list.json()], [401, { detail: 'Not authenticated' }]);
    const call = await kit.post({}, { authorization: 'Basic x' });
    assert.deepEqual([call.status, await call.json()], [401, { detail: 'Not authenticated' }]);
  });

  it('refuse a call with a bad token, and say what is wrong with it', async () => {
    const call = await kit.post({}, { authorization: `Bearer ${signWorkerToken('other')}` });
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
    const answer = await fetch(`${kit.url}/worker/tools/invoke`);
    assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'POST']);
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
      const answer = await kit.post(body, headers);
      assert.equal(answer.status, status);
      assert.match(((await answer.json()) as { error: string }).error, error);
    });
  }

  it('over 4 MiB without saying its length is refused with 413', async () => {
    const call = httpRequest(`${kit.url}/worker/tools/invoke`, { method: 'POST', headers: kit.headers });
    call.on('error', () => {});
    for (let sent = 0; sent <= 4; sent++) call.write(Buffer.alloc(1024 * 1024, 32));
    const [answer] = await once(call, 'response');
    assert.equal(answer.statusCode, 413);
    call.destroy();
  });
});
