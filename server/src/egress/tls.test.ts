import assert from 'node:assert/strict';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { TlsOptions } from 'node:tls';
import { createServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { createCertificate } from '../../test/certificate.ts';
import type { UpstreamRequest } from './contract.ts';
import { createEgress } from './egress.ts';

const trusted = createCertificate('worker.test');
const GET: UpstreamRequest = { method: 'GET', path: '/', headers: '', timeoutMs: 5000, maxBytes: 1000 };

interface Seen {
  readonly port: number;
  readonly names: unknown[];
  readonly protocols: unknown[];
  connections: number;
}

const HELLO = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello';

async function serve(t: TestContext, options: TlsOptions, answer = HELLO): Promise<Seen> {
  const server = createServer(options, (socket) => {
    seen.connections++;
    seen.names.push(socket.servername);
    seen.protocols.push(socket.alpnProtocol);
    socket.on('error', () => {});
    socket.on('data', () => socket.write(answer));
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const seen: Seen = { port, names: [], protocols: [], connections: 0 };
  return seen;
}

async function request(t: TestContext, uri: string) {
  const egress = createEgress({ allow: [], lookup: async () => ['127.0.0.1'] });
  t.after(() => egress.close());
  const upstream = egress.upstream(uri, 'file');
  assert.ok(upstream.ok);
  await upstream.value.request(GET);
  return upstream.value.request(GET);
}

describe('TLS', () => {
  const before = getCACertificates('default');
  setDefaultCACertificates([...before, trusted.cert]);

  it('carries requests to a server whose certificate is trusted, and names it', async (t) => {
    const seen = await serve(t, { ...trusted, ALPNProtocols: ['h2', 'http/1.1'] });
    const answer = await request(t, `https://worker.test:${seen.port}`);
    assert.ok(answer.ok, answer.ok ? '' : answer.error.message);
    assert.equal(answer.value.body.toString(), 'hello');
    assert.deepEqual([seen.names, seen.protocols, seen.connections], [['worker.test'], ['http/1.1'], 1]);
  });

  it('refuses a certificate for another name', async (t) => {
    const { port } = await serve(t, trusted);
    for (const uri of [`https://other.test:${port}`, `https://127.0.0.1:${port}`]) {
      const answer = await request(t, uri);
      assert.ok(!answer.ok);
      assert.deepEqual([answer.error.kind, answer.error.sent], ['tls', false]);
    }
  });

  it('refuses a certificate that nobody trusted vouches for', async (t) => {
    const { port } = await serve(t, createCertificate('worker.test'));
    const answer = await request(t, `https://worker.test:${port}`);
    assert.ok(!answer.ok);
    assert.deepEqual([answer.error.kind, answer.error.sent], ['tls', false]);
    assert.match(answer.error.message, /self-signed.*NODE_EXTRA_CA_CERTS/);
  });

  it('says in plain words that a server speaks no TLS', async (t) => {
    const plain = createTcpServer((socket) =>
      socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    );
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    t.after(() => plain.close());
    const { port } = plain.address() as AddressInfo;
    const answer = await request(t, `https://worker.test:${port}`);
    assert.ok(!answer.ok);
    assert.match(
      answer.error.message,
      /^no secure connection to https:\/\/worker\.test:\d+ \([a-z ]+\): check/,
    );
  });

  it('refuses a server that speaks no HTTP/1.1', async (t) => {
    const { port } = await serve(t, { ...trusted, ALPNProtocols: ['h2'] });
    const answer = await request(t, `https://worker.test:${port}`);
    assert.ok(!answer.ok);
    assert.equal(answer.error.kind, 'tls');
  });

  it('shows our certificate to a server that asks for one, and to no other of its origin', async (t) => {
    const client = createCertificate('gateway.test');
    const options = { ...trusted, requestCert: true, rejectUnauthorized: true, ca: client.cert };
    const { port } = await serve(t, options);
    const egress = createEgress({ allow: [], lookup: async () => ['127.0.0.1'] });
    t.after(() => egress.close());
    const uri = `https://worker.test:${port}`;
    const shown = egress.upstream(uri, 'file', { tls: client });
    const hidden = egress.upstream(uri, 'file');
    assert.ok(shown.ok && hidden.ok);
    const answer = await shown.value.request(GET);
    assert.ok(answer.ok, answer.ok ? '' : answer.error.message);
    assert.equal((await hidden.value.request(GET)).ok, false);
  });

  it('takes an authority of its own for a destination, instead of those that the system trusts', async (t) => {
    const own = createCertificate('worker.test');
    const egress = createEgress({ allow: [], lookup: async () => ['127.0.0.1'] });
    t.after(() => egress.close());
    for (const [server, isTrusted] of [
      [own, true],
      [trusted, false],
    ] as const) {
      const { port } = await serve(t, server);
      const upstream = egress.upstream(`https://worker.test:${port}`, 'file', { tls: { ca: own.cert } });
      assert.ok(upstream.ok);
      assert.equal((await upstream.value.request(GET)).ok, isTrusted);
    }
  });

  it('refuses certificates that are none, and a key of another certificate', () => {
    const egress = createEgress({ allow: [] });
    const { cert } = createCertificate('gateway.test');
    for (const tls of [
      { cert: 'x', key: 'y' },
      { cert, key: trusted.key },
      { ca: '-----BEGIN CERTIFICATE-----' },
    ]) {
      const upstream = egress.upstream('https://worker.test', 'file', { tls });
      assert.ok(!upstream.ok);
      assert.equal(upstream.error.kind, 'tls');
      assert.match(upstream.error.message, /^the certificates cannot be used: /);
    }
  });

  it('is not left behind by a redirect', async (t) => {
    const redirect = 'HTTP/1.1 302 Found\r\nlocation: http://worker.test/\r\ncontent-length: 0\r\n\r\n';
    const { port } = await serve(t, trusted, redirect);
    const egress = createEgress({ allow: [], lookup: async () => ['127.0.0.1'] });
    const answer = await egress.get(`HTTPS://worker.test:${port}/`, 'file', {
      timeoutMs: 5000,
      maxBytes: 100,
    });
    assert.ok(!answer.ok);
    assert.match(answer.error.message, /from https to http/);
  });
});
