import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { describe, it } from 'node:test';
import { createServer } from './create-server.ts';

const open = { ARCADE_AUTH_DISABLED: 'true' };

async function statusFor(url: string, headers: Record<string, string>): Promise<number> {
  const request = httpRequest(`${url}/worker/health`, { headers });
  request.end();
  const [response] = await once(request, 'response');
  response.resume();
  await once(response, 'end');
  return response.statusCode;
}

describe('a server on a loopback address', () => {
  it('answers only to names of this machine, so that no web page can reach it by a name of its own', async () => {
    const server = await createServer({ name: 'Kit', version: '1.0.0' }).listen({ port: 0, env: open });
    const { port } = new URL(server.url);
    const statuses = {
      localhost: await statusFor(server.url, { host: `localhost:${port}` }),
      rebound: await statusFor(server.url, { host: `evil.example:${port}` }),
      page: await statusFor(server.url, { origin: 'https://evil.example' }),
      ownPage: await statusFor(server.url, { origin: 'http://localhost:3000' }),
    };
    await server.stop();
    assert.deepEqual(statuses, { localhost: 200, rebound: 403, page: 403, ownPage: 200 });
  });
});

describe('a server that is told to stop', () => {
  it('finishes the call in flight and takes no other', async () => {
    const app = createServer({ name: 'Kit', version: '1.0.0' });
    const started = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<string>();
    app.tool({ name: 'Wait', description: 'Wait' }, () => {
      started.resolve();
      return finish.promise;
    });
    const server = await app.listen({ port: 0, env: open });
    const call = fetch(`${server.url}/worker/tools/invoke`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ tool: { name: 'Wait' } }),
    });
    await started.promise;
    const stopped = server.stop();
    await assert.rejects(fetch(`${server.url}/worker/health`));
    finish.resolve('finished');
    const { output } = (await (await call).json()) as { output: { value: string } };
    assert.equal(output.value, 'finished');
    await stopped;
  });
});

describe('two servers on one port', () => {
  it('are an error that says so', async () => {
    const app = createServer({ name: 'Kit', version: '1.0.0' });
    const first = await app.listen({ port: 0, env: {} });
    const port = Number(new URL(first.url).port);
    await assert.rejects(app.listen({ port, env: {} }), { code: 'EADDRINUSE' });
    await first.stop();
  });
});
