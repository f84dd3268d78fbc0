import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { it } from 'node:test';
import { listen } from './fixture-server.ts';
import { startHeaderProxy } from './header-proxy.ts';

it('the proxy adds its headers and passes on the rest as it came, Host and Origin included', async () => {
  const behind = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const seen = { headers: req.rawHeaders, url: req.url, body: Buffer.concat(chunks).toString() };
      res.writeHead(418, { 'X-Answer': 'kept' }).end(JSON.stringify(seen));
    });
  });
  await listen(behind);
  const target = `http://127.0.0.1:${(behind.address() as AddressInfo).port}`;
  const proxy = await startHeaderProxy(target, { Authorization: 'Bearer k' });
  try {
    const sent = [
      'Host',
      'evil.example.com',
      'Origin',
      'http://evil.example.com',
      'MCP-Name',
      'a',
      'content-length',
      '2',
    ];
    const answer = await post(`${proxy.origin}/mcp/x?y=1`, sent, '{}');
    assert.equal(answer.status, 418);
    assert.equal(answer.header, 'kept');
    const seen = JSON.parse(answer.body) as { headers: string[]; url: string; body: string };
    assert.deepEqual(seen.headers.slice(0, 8), sent);
    assert.deepEqual(seen.headers.slice(-2), ['Authorization', 'Bearer k']);
    assert.equal(seen.url, '/mcp/x?y=1');
    assert.equal(seen.body, '{}');
  } finally {
    proxy.close();
    behind.close();
  }
});

function post(
  url: string,
  headers: string[],
  body: string,
): Promise<{ status: number; header: unknown; body: string }> {
  return new Promise((resolve, reject) => {
    const req = request(url, { method: 'POST', headers, setHost: false }, (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      res.on('end', () =>
        resolve({ status: res.statusCode ?? 0, header: res.headers['x-answer'], body: text }),
      );
    });
    req.on('error', reject);
    req.end(body);
  });
}
