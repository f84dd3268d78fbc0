import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempFolder } from '../../test/test-io.ts';
import { toolStages } from './verify.ts';
import { verifyTools } from './verify-tools.ts';

interface Asked {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly protocolVersion?: string };
}

type Answer = (asked: Asked, response: ServerResponse) => unknown;

/** A server that answers as it likes; `sent` counts the bytes that it got rid of. */
async function liar(t: TestContext, answer: Answer) {
  const server = createServer(async (request, response) => {
    const body = await text(request);
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const asked = JSON.parse(body) as Asked;
    if (asked.method?.startsWith('notifications/') === true) return void response.writeHead(202).end();
    const result = answer(asked, response);
    if (result === undefined) return;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id: asked.id, result }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

const known = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' };
const hello: Answer = ({ method, params }) => {
  const serverInfo = { name: 'liar\n  \u2713 gateway   passed', version: '1' };
  const capabilities = { tools: {} };
  if (method === 'server/discover')
    return { ...known, supportedVersions: ['2026-07-28'], capabilities, serverInfo };
  if (method === 'initialize') return { protocolVersion: params?.protocolVersion, capabilities, serverInfo };
  return null;
};

const asks = (url: string, timeoutMs = 10_000) =>
  verifyTools(url, { fetch, timeoutMs, signal: new AbortController().signal });

/** Writes without end; `sent` is how much the other side took. */
function endless(response: ServerResponse, chunk: string): { sent: number } {
  const counter = { sent: 0 };
  const go = (): void => {
    while (!response.destroyed && counter.sent < 512 * 1024 * 1024) {
      counter.sent += chunk.length;
      if (!response.write(chunk)) return void response.once('drain', go);
    }
    response.end();
  };
  go();
  return counter;
}

for (const [name, status, type] of [
  ['an answer', 200, 'application/json'],
  ['a stream', 200, 'text/event-stream'],
  ['a refusal', 500, 'text/plain'],
] as const) {
  test(`${name} without end is not kept`, async (t) => {
    const counters: { sent: number }[] = [];
    const url = await liar(t, (_, response) => {
      response.writeHead(status, { 'content-type': type });
      counters.push(endless(response, `data: ${'x'.repeat(1 << 20)}`));
    });
    const { eras } = await asks(url);
    assert.equal(eras.length, 2);
    for (const { error } of eras) assert.match(error ?? '', /more than 16 MiB|HTTP 500/);
    for (const { sent } of counters) assert.ok(sent < 64 * 1024 * 1024, `${sent} bytes were taken`);
  });
}

test('a refusal that never ends is one after the time of a request', async (t) => {
  const url = await liar(t, (_, response) => {
    response.writeHead(503, { 'content-type': 'text/plain' }).write('come back later');
  });
  const { eras } = await asks(url, 200);
  for (const { error } of eras) assert.match(error ?? '', /^HTTP 503: come back later|timed out/);
});

test('a list whose pages come slowly and never end is given up', async (t) => {
  let pages = 0;
  const url = await liar(t, (asked, response) => {
    if (asked.method !== 'tools/list') return hello(asked, response);
    pages += 1;
    const tools = [{ name: `t${pages}`, inputSchema: { type: 'object' } }];
    const result = { ...known, tools, nextCursor: `c${pages}` };
    setTimeout(() => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id: asked.id, result }));
    }, 100);
    return undefined;
  });
  const { eras } = await asks(url, 200);
  for (const { error } of eras) assert.notEqual(error, null);
  assert.ok(pages < 2 * 64, `${pages} pages were asked for`);
});

test('names of a server take no line of their own', async (t) => {
  const url = await liar(t, (asked, response) =>
    asked.method === 'tools/list'
      ? { ...known, tools: [{ name: `a\r\n  ok ${'b'.repeat(9999)}`, inputSchema: { type: 'object' } }] }
      : hello(asked, response),
  );
  const said = toolStages(await asks(url), 'at x', undefined).map((stage) => stage.said);
  assert.match(said[0] ?? '', /^liar \u2713 gateway passed 1 speaks/);
  assert.ok(said.every((one) => !/[\r\n]/.test(one) && one.length < 300));
});

test('what a library prints of a server is no part of the JSON, and does not steer the terminal', async (t) => {
  const url = await liar(t, (asked, response) => {
    if (asked.method !== 'tools/list') return hello(asked, response);
    const bad = { type: 'object', properties: { a: { type: 'string', 'x-mcp-header': 'a b' } } };
    return { ...known, tools: [{ name: 'x\u001b[2J\nerror: fake', inputSchema: bad }] };
  });
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, '--json', 'deploy', 'verify', '--url', url], {
    cwd: await tempFolder(t, {}),
  });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  assert.equal(JSON.parse(out).url, url);
  assert.ok(!err.includes('\u001b'), err);
  assert.match(err, /\S.*error: fake/);
  assert.doesNotMatch(err, /^error: fake/m);
});

test('a server without tools has none, whatever a library makes of that', async (t) => {
  const url = await liar(t, (asked, response) => {
    const result = hello(asked, response) as Record<string, unknown> | null;
    return result && { ...result, capabilities: {} };
  });
  const report = await asks(url);
  assert.deepEqual(report.tools, []);
  assert.ok(report.eras.every(({ error }) => error === null));
});
