import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { messageOf, startApp, startReferenceServer, type TestApp, toolCall } from './start-app.ts';

const secret = 'a-worker-secret-of-more-than-32-bytes';
const prefix = '/teams/payroll';

interface Captured {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** What stands on the way to a worker: it takes a prefix of the path away, and keeps every request. */
async function startTap(worker: string): Promise<{ uri: string; captured: Captured[]; server: Server }> {
  const captured: Captured[] = [];
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const sent = { method, path: url.slice(prefix.length), headers, body: await buffer(request) };
    captured.push(sent);
    const answer = await forward(worker, sent);
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`;
  return { uri, captured, server };
}

async function forward(worker: string, { method, path, headers, body }: Captured): Promise<IncomingMessage> {
  const request = httpRequest(worker + path, { method, headers: { ...headers, host: new URL(worker).host } });
  const [answer] = await once(request.end(body), 'response');
  return answer;
}

for (const strict of [true, false]) {
  describe(`a worker that is ${strict ? '' : 'not '}strict, behind a proxy that takes a prefix away`, () => {
    let worker: Awaited<ReturnType<typeof startReferenceServer>>;
    let tap: Awaited<ReturnType<typeof startTap>>;
    let app: TestApp;

    before(async () => {
      worker = await startReferenceServer(secret, 0, strict);
      tap = await startTap(worker.uri);
      app = await startApp(`
workers:
  - { id: reference, http: { uri: "${tap.uri}", secret: "${secret}" } }
gateways:
  - { name: All, slug: all }
`);
    });
    after(async () => {
      await app.close();
      tap.server.close();
      tap.server.closeAllConnections();
      await worker.stop();
    });

    test('lists and takes every call of a gateway, those at once and those that are the same', async () => {
      for (let round = 0; round < 2; round++) {
        assert.equal((await app.app.rooms.sources.refresh('default', 'reference')).state, 'healthy');
      }
      const calls = Array.from({ length: 50 }, () =>
        app.rpc('all', toolCall('ArcadeEvalRef_Add', { a: 2, b: 3 })),
      );
      for (const call of calls) {
        assert.deepEqual((await messageOf(await call)).result.structuredContent, { result: 5 });
      }
    });

    test(`${strict ? 'refuses' : 'runs'} a recorded call that somebody sends again`, async () => {
      await (await app.rpc('all', toolCall('ArcadeEvalRef_Whoami'))).text();
      const recorded = tap.captured.findLast(({ method }) => method === 'POST');
      assert.ok(recorded);
      const answer = await forward(worker.uri, recorded);
      const said = (await buffer(answer)).toString();
      assert.equal(answer.statusCode, strict ? 401 : 200, said);
      assert.match(said, strict ? /The token was used before/ : /"value":"alice"/);
    });
  });
}
