import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createMetrics } from '#telemetry';
import { createOriginPolicy } from './origin.ts';
import { type HttpServer, listen } from './server.ts';

const token = 'scrape-me-if-you-can';
let server: HttpServer;
before(async () => {
  const metrics = createMetrics();
  metrics.counter({ name: 'secret_total', help: 'Nobody may see it.' }).of().add();
  server = await listen('127.0.0.1', 0, {
    mcp: null,
    rest: null,
    more: [],
    origins: createOriginPolicy({ bindHost: '127.0.0.1', publicUrl: null }),
    readiness: async () => ({ ready: true, checks: {} }),
    metrics: { read: metrics.read, token },
    answered() {},
    version: '1',
  });
});
after(() => server.close(0));

const scrape = (authorization?: string, path = '/metrics', method = 'GET') =>
  fetch(server.url + path, { method, headers: authorization === undefined ? {} : { authorization } });

describe('metrics with a token', () => {
  it('are for who brings it', async () => {
    for (const scheme of ['Bearer', 'bearer']) {
      const answer = await scrape(`${scheme} ${token}`);
      assert.equal(answer.status, 200);
      assert.match(await answer.text(), /^secret_total 1$/m);
    }
  });

  it('are for nobody else, whatever is brought, and in whichever way', async () => {
    const others = [undefined, '', 'Bearer', `Basic ${btoa(`x:${token}`)}`, token, `Bearer ${token}x`];
    const parts = [`Bearer ${token.slice(0, -1)}`, `Bearer ${token.toUpperCase()}`, `Bearer x ${token}`];
    for (const brought of [...others, ...parts]) {
      const answer = await scrape(brought);
      assert.equal(answer.status, 401, brought);
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
      assert.doesNotMatch(await answer.text(), new RegExp(`secret_total|${token}`));
    }
    assert.equal((await scrape(undefined, `/metrics?token=${token}`)).status, 401);
    assert.equal((await scrape(undefined, '/metrics', 'HEAD')).status, 401);
  });

  it('take nothing away from who asks whether we live', async () => {
    assert.equal((await scrape(undefined, '/healthz')).status, 200);
  });
});
