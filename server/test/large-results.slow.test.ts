import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { messageOf, modern, startApp, type TestApp, toolCall } from './start-app.ts';

/** What the source answers a call with: the JSON text of the message, or whatever else it does to the response. */
type Behaviour = (id: number, response: ServerResponse) => string | null;

const MB = 1024 * 1024;
const large = JSON.stringify('a "quoted" word, é and \\ in every line\n'.repeat(30_000));
const content = `"content":[{"type":"text","text":${large}}]`;
const usual = (id: number, members: string) => `{"jsonrpc":"2.0","id":${id},"result":{${members}}}`;

describe('a large result', () => {
  let app: TestApp;
  let behave: Behaviour = () => null;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      if (request.url?.startsWith('/worker') === true) {
        response.end(work(request.url));
        return;
      }
      const { id, method } = JSON.parse(body);
      response.setHeader('content-type', 'application/json');
      const told = method === 'tools/call' ? behave(id, response) : usual(id, said[method] ?? '');
      if (told !== null) response.end(told);
    });
  });
  const said: Record<string, string> = {
    'server/discover': '"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}',
    'tools/list': '"tools":[{"name":"Read","inputSchema":{"type":"object"}}]',
  };

  let output = '';
  const work = (path: string) =>
    path === '/worker/tools'
      ? '[{"name":"Write","toolkit":{"name":"Kit","version":"1"},"input":{"parameters":[]}}]'
      : `{"success":true,"output":{"value":${output}}}`;

  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const rule = 'direction: output, tools: [other.*], match: { pattern: quoted }, action: redact';
    app = await startApp(`
workers:
  - { id: files, mcp: { uri: "http://127.0.0.1:${port}/mcp", retry: 0 } }
  - { id: other, mcp: { uri: "http://127.0.0.1:${port}/mcp", retry: 0 } }
  - { id: kit, http: { uri: "http://127.0.0.1:${port}", secret: "a-worker-secret-of-more-than-32-bytes" } }
gateways:
  - { name: All, slug: all, naming: source }
rules:
  - { name: no quotes, ${rule} }
`);
    for (const id of ['files', 'other', 'kit']) await app.app.rooms.sources.refresh('default', id);
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await app.close();
  });

  const call = (name = 'files_Read') => {
    const { message, headers } = modern('tools/call', { name, arguments: {} });
    return app.rpc('all', message, headers);
  };
  const lastRecord = async () => (await app.records())[0];

  test('passes whole, under the id of the client, and is recorded', async () => {
    const shapes: Behaviour[] = [
      (id) => usual(id, content),
      (id) => `{"result":{${content}},"jsonrpc":"2.0","id":${id}}`,
      (id) => `{ "jsonrpc": "2.0", "id": ${id}, "result": { ${content} } }\n`,
      (id) => `{"id":${id},"result":{${content}},"jsonrpc":"2.0"}`,
      (id, response) => {
        response.write(`{"jsonrpc":"2.0","id":${id},`);
        return `"result":{${content}}}`;
      },
    ];
    for (const shape of shapes) {
      behave = shape;
      const answer = await call();
      const message = await messageOf(answer);
      assert.equal(message.id, 1);
      assert.deepEqual(message.result.content, JSON.parse(`{${content}}`).content);
      const { decision, code } = await lastRecord();
      assert.deepEqual([decision, code], ['allowed', null], String(shape));
    }
  });

  test('is told in the form of the client, whatever its source says beside it, and wherever', async () => {
    const own = '"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"x","version":"1"},"mine":1}';
    const result = `"resultType":"complete",${own},${content},"isError":true,"structuredContent":{"a":[1]}`;
    const reversed = `"structuredContent":{"a":[1]},"isError":true,${content},${own},"resultType":"complete"`;
    for (const members of [result, reversed]) {
      behave = (id) => usual(id, members);
      const text = await (await call()).text();
      const told = JSON.parse(text).result;
      assert.equal(told.isError, true);
      assert.deepEqual(told.structuredContent, { a: [1] });
      assert.equal(told.resultType, 'complete');
      assert.equal(told._meta.mine, 1);
      assert.equal(told._meta['io.modelcontextprotocol/serverInfo'].name, 'all');
      assert.equal(text.split('"resultType"').length + text.split('"_meta"').length, 4);
      assert.equal((await lastRecord()).code, 'source.tool_failed');
    }
  });

  test('is told to a client with a handshake without what only the newer revision says', async () => {
    const own = '"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"x","version":"1"}}';
    behave = (id) => usual(id, `"resultType":"complete",${own},${content},"structuredContent":[1]`);
    const answer = await app.rpc('all', toolCall('files_Read'), { 'mcp-protocol-version': '2025-11-25' });
    const { result } = await messageOf(answer);
    assert.deepEqual(Object.keys(result), ['content', 'structuredContent']);
    assert.deepEqual(result.structuredContent, { result: [1] });
  });

  test('that has no content gets some, as every revision wants it', async () => {
    behave = (id) => usual(id, `"structuredContent":{"text":${large}}`);
    const { result } = await messageOf(await call());
    assert.deepEqual(result.content, []);
    assert.equal(result.structuredContent.text, JSON.parse(large));
  });

  test('of a worker is the same as a small one would be, and is recorded', async () => {
    const value = JSON.parse(large);
    for (const one of [value, { text: value, n: [1, null] }, [value]]) {
      output = JSON.stringify(one);
      const { id, result } = await messageOf(await call('Kit_Write'));
      const isObject = !Array.isArray(one) && typeof one === 'object';
      assert.deepEqual(result.structuredContent, isObject ? one : { result: one });
      assert.equal(result.content[0].text, typeof one === 'string' ? one : output);
      assert.deepEqual([id, result.isError, result.resultType], [1, false, 'complete']);
      assert.equal((await lastRecord()).decision, 'allowed');
    }
  });

  test('that breaks off, or goes on as something else, is a broken answer and a failed call', async () => {
    const broken: readonly (readonly [Behaviour, string])[] = [
      [(id, response) => cut(response, usual(id, content).slice(0, -500)), 'source.interrupted'],
      [(id) => usual(id, `${content},"resultType":"input_required"`), 'source.answer_invalid'],
      [(id) => usual(id, content).slice(0, -1), 'source.answer_invalid'],
      [(id) => `${usual(id, content).slice(0, -1)},"id":7}`, 'source.answer_invalid'],
      [
        (id) => `${usual(id, content).slice(0, -1)},"error":{"code":1,"message":""}}`,
        'source.answer_invalid',
      ],
      [(id) => `{"result":{${content}},"jsonrpc":"2.0","id":${id + 1}}`, 'source.answer_invalid'],
      [(id) => usual(id, `${content},,"a":`), 'source.answer_invalid'],
      [(id) => usual(id, content) + 'x'.repeat(5000), 'source.answer_invalid'],
      [(id) => usual(id, `"a":"${'x'.repeat(33 * MB)}"`), 'source.answer_too_large'],
    ];
    for (const [one, code] of broken) {
      behave = one;
      await assert.rejects(async () => await (await call()).text(), String(one));
      const record = await lastRecord();
      assert.deepEqual([record.decision, record.code], ['failed', code], String(one));
    }
  });

  test('that rules want to see is read, and what they redact is in no byte of it', async () => {
    behave = (id) => usual(id, content);
    const answer = await call('other_Read');
    const text = await answer.text();
    assert.ok(text.length > MB / 2);
    assert.ok(!text.includes('quoted'));
  });

  test('is not read from its source while the client does not read, and no more once the client is gone', async () => {
    let source: ServerResponse | null = null;
    behave = (id, response) => {
      source = response;
      response.write(`{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"`);
      for (let count = 0; count < 30; count++) response.write('x'.repeat(MB));
      return null;
    };
    const { port, hostname } = new URL(app.url);
    const { message } = modern('tools/call', { name: 'files_Read', arguments: {} });
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    const client = connect(Number(port), hostname);
    client.write(
      `POST /mcp/all HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${app.key}\r\narcade-user-id: ann\r\n` +
        'content-type: application/json\r\naccept: application/json, text/event-stream\r\n' +
        'mcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\nmcp-name: files_Read\r\n' +
        `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    client.pause();
    const unread = () => source?.writableLength ?? 0;
    while (unread() === 0) await turn();
    for (let before = -1; before !== unread(); ) {
      before = unread();
      for (let turns = 0; turns < 200; turns++) await turn();
    }
    assert.ok(unread() > 8 * MB, `the source still has ${unread()} bytes to send`);
    const gone = once(source as unknown as ServerResponse, 'close');
    client.destroy();
    await gone;
    assert.equal((await lastRecord()).code, 'source.cancelled');
  });
});

function cut(response: ServerResponse, said: string): null {
  response.write(said, () => response.destroy());
  return null;
}
