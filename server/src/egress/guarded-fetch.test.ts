import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createEgress } from './egress.ts';
import { FetchFailed, guardedFetch } from './guarded-fetch.ts';

const limits = { timeoutMs: 5000, maxBytes: 100 };
const egress = createEgress({ allow: [] });
const server = createServer(async (request, response) => {
  if (request.url === '/moved') response.writeHead(302, { location: '/echo' });
  if (request.url !== '/echo?a=1') {
    response.end('x'.repeat(request.url === '/large' ? 101 : 0));
    return;
  }
  let body = '';
  for await (const chunk of request) body += chunk;
  const { method, url, headers } = request;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify([method, url, headers.authorization, headers['content-type'], body]));
});
let origin: string;

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  egress.close();
  server.close();
  server.closeAllConnections();
});

describe('a guarded fetch', () => {
  it('sends what fetch sends, and gives what came', async () => {
    const fetched = await guardedFetch(
      egress,
      'file',
      limits,
    )(`${origin}/echo?a=1`, {
      method: 'POST',
      headers: { authorization: 'Basic x' },
      body: new URLSearchParams({ code: 'é' }),
    });
    assert.equal(fetched.headers.get('content-type'), 'application/json');
    const type = 'application/x-www-form-urlencoded;charset=UTF-8';
    assert.deepEqual(await fetched.json(), ['POST', '/echo?a=1', 'Basic x', type, 'code=%C3%A9']);
  });

  it('never follows a redirect', async () => {
    const fetched = await guardedFetch(egress, 'file', limits)(`${origin}/moved`, { redirect: 'follow' });
    assert.equal(fetched.status, 302);
    assert.equal(fetched.headers.get('location'), '/echo');
  });

  it('reaches no address that the policy refuses, and reads no more than it may', async () => {
    const kindOf = (wanted: string) => (error: unknown) =>
      error instanceof FetchFailed && error.failure.kind === wanted;
    await assert.rejects(guardedFetch(egress, 'api', limits)(`${origin}/echo`), kindOf('address_refused'));
    await assert.rejects(guardedFetch(egress, 'file', limits)(`${origin}/large`), kindOf('too_large'));
  });
});
