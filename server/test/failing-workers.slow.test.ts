import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type Json, messageOf, startApp, startReferenceServer, type TestApp, toolCall } from './start-app.ts';

const secret = 'a-worker-secret-of-more-than-32-bytes';

describe('workers that fail', () => {
  let worker: Awaited<ReturnType<typeof startReferenceServer>>;
  let app: TestApp;

  before(async () => {
    worker = await startReferenceServer(secret);
    app = await startApp(`
workers:
  - { id: reference, http: { uri: "${worker.uri}", secret: "${secret}" } }
gateways:
  - { name: All, slug: all }
`);
    await app.app.rooms.sources.refresh('default', 'reference');
  });
  after(async () => {
    await app.close();
    await worker.stop();
  });

  test('a worker that answers garbage, hangs or dies in mid-answer: a clear result, one record, and the others work on', async () => {
    let behave: (response: ServerResponse) => void = () => {};
    const definition = { name: 'Try', toolkit: { name: 'Bad', version: '1' }, input: { parameters: [] } };
    const bad = createServer((request, response) => {
      if (request.url === '/worker/tools') response.end(JSON.stringify([definition]));
      else request.resume().on('end', () => behave(response));
    });
    bad.listen(0, '127.0.0.1');
    await once(bad, 'listening');
    const { port } = bad.address() as AddressInfo;
    const declared = readFileSync(app.configPath, 'utf8');
    const entry = `  - { id: bad, http: { uri: "http://127.0.0.1:${port}", secret: "${secret}", timeout: 1, retry: 0 } }`;
    writeFileSync(app.configPath, declared.replace('workers:', `workers:\n${entry}`));
    while (app.app.rooms.catalog.findTool('default', 'Bad.Try') === null) await app.api('GET', '/v1/health');

    const misbehaviours: [string, (response: ServerResponse) => void][] = [
      ['source.answer_invalid', (response) => response.end('<html>oops</html>')],
      ['source.answer_invalid', (response) => response.end('{"success": "maybe"}')],
      [
        'source.tool_failed',
        (response) => response.writeHead(500, { 'content-type': 'text/plain' }).end('Internal Server Error'),
      ],
      ['source.secret_refused', (response) => response.writeHead(401).end('{"detail":"Invalid token"}')],
      [
        'source.interrupted',
        (response) => response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy()),
      ],
      ['source.timeout', () => {}],
    ];
    for (const [code, misbehaviour] of misbehaviours) {
      behave = misbehaviour;
      const before = await app.records('&tool=Bad.Try');
      const [answer, other] = await Promise.all([
        app.rpc('all', toolCall('Bad_Try')).then(messageOf),
        app.rpc('all', toolCall('ArcadeEvalRef_Echo', { text: 'still here' })).then(messageOf),
      ]);
      assert.equal(answer.result.isError, true);
      assert.equal(answer.result._meta['sallyport/refusal'].code, code);
      assert.ok(answer.result.content[0].text.length > 20);
      assert.equal(other.result.structuredContent.result, 'still here');
      const after = await app.records('&tool=Bad.Try');
      assert.equal(after.length, before.length + 1);
      assert.deepEqual([after[0].decision, after[0].code], ['failed', code]);
    }
    writeFileSync(app.configPath, declared);
    bad.closeAllConnections();
    bad.close();
  });

  test('a worker that restarts answers the first call after it', async () => {
    const uri = new URL(worker.uri);
    await worker.stop();
    const down = await messageOf(await app.rpc('all', toolCall('ArcadeEvalRef_Whoami')));
    assert.equal(down.result.isError, true);
    assert.equal(down.result._meta['sallyport/refusal'].code, 'source.unreachable');
    // The health check waits for the probe, so what it found is on the shelf.
    await app.api('GET', '/v1/workers/reference/health');
    assert.deepEqual(await listed(), { rest: false, mcp: false });
    worker = await startReferenceServer(secret, Number(uri.port));
    const up = await messageOf(await app.rpc('all', toolCall('ArcadeEvalRef_Whoami')));
    assert.equal(up.result.structuredContent.result, 'alice');
    await app.api('GET', '/v1/workers/reference/health');
    assert.deepEqual(await listed(), { rest: true, mcp: undefined });
  });

  /** What the API and the gateway say of whether `Whoami` is available. */
  async function listed() {
    const tool = (await (await app.api('GET', '/v1/tools/ArcadeEvalRef.Whoami')).json()) as Json;
    const list = await messageOf(await app.rpc('all', { id: 1, method: 'tools/list' }));
    const [shown] = list.result.tools.filter(({ name }: { name: string }) => name === 'ArcadeEvalRef_Whoami');
    return { rest: tool.available, mcp: shown._meta?.['sallyport/available'] };
  }
});
