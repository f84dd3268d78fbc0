import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { Egress, EgressFailure, EgressOptions, Trust } from './contract.ts';
import { createEgress } from './egress.ts';

type Handler = Parameters<typeof createServer>[1];

async function serve(t: TestContext, handler: Handler): Promise<number> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function open(t: TestContext, options: Partial<EgressOptions> = {}): Egress {
  const egress = createEgress({ allow: [], ...options });
  t.after(() => egress.close());
  return egress;
}

const GET = { method: 'GET', path: '/', headers: '', timeoutMs: 5000, maxBytes: 1000 } as const;

async function failureOf(egress: Egress, uri: string, trust: Trust): Promise<EgressFailure> {
  const upstream = egress.upstream(uri, trust);
  if (!upstream.ok) return upstream.error;
  const checked = await upstream.value.check();
  const answered = await upstream.value.request(GET);
  assert.ok(!checked.ok && !answered.ok, `${uri} was reached`);
  assert.deepEqual(checked.error, answered.error);
  return answered.error;
}

describe('the address policy', () => {
  const internal = [
    'http://127.0.0.1/',
    'http://127.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::1]/',
    'http://[::]/',
    'http://0/',
    'http://10.0.0.1:8080/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/',
    'https://192.168.1.1/',
  ];
  for (const uri of internal) {
    it(`refuses ${uri} to a destination from the API, having sent nothing`, async (t) => {
      const failure = await failureOf(open(t), uri, 'api');
      assert.equal(failure.kind, 'address_refused');
      assert.equal(failure.sent, false);
      assert.match(failure.message, /egress\.allow \(SALLYPORT_EGRESS_ALLOW\)/);
    });
  }

  it('names the host, the address, its class and what to change', async (t) => {
    const egress = open(t, { lookup: async () => ['10.1.2.3'] });
    const failure = await failureOf(egress, 'http://worker.tools:8002', 'api');
    assert.equal(
      failure.message,
      'worker.tools resolves to 10.1.2.3, which is a private address: declare the source in the config file, or add it to egress.allow (SALLYPORT_EGRESS_ALLOW)',
    );
  });

  it('refuses a host when any one of its addresses is refused', async (t) => {
    const egress = open(t, { lookup: async () => ['93.184.216.34', '10.0.0.1'] });
    assert.equal((await failureOf(egress, 'http://two.test', 'api')).kind, 'address_refused');
  });

  it('refuses cloud metadata even to a destination from the config file', async (t) => {
    const lookups: Record<string, string> = { 'a.test': '169.254.169.254', 'b.test': '64:ff9b::a9fe:a9fe' };
    const egress = open(t, {
      allow: ['169.254.0.0/16', '*.test', '100.64.0.0/10'],
      lookup: async (host) => [lookups[host] ?? ''],
    });
    for (const uri of [
      'http://169.254.169.254',
      'http://100.100.100.200',
      'http://a.test',
      'http://b.test',
    ]) {
      assert.equal((await failureOf(egress, uri, 'file')).kind, 'address_refused', uri);
    }
  });

  it('lets a destination from the config file be internal', async (t) => {
    const port = await serve(t, (_request, response) => response.end('inside'));
    const answer = await open(t).get(`http://127.0.0.1:${port}/`, 'file', { timeoutMs: 5000, maxBytes: 100 });
    assert.ok(answer.ok);
    assert.equal(answer.value.body.toString(), 'inside');
  });

  it('lets a destination from the API be internal where its origin, its name or its address is allowed', async (t) => {
    const port = await serve(t, (_request, response) => response.end('inside'));
    const lookup = async () => ['127.0.0.1'];
    const uris: readonly (readonly [string, string])[] = [
      [`http://127.0.0.1:${port}`, `http://127.0.0.1:${port}`],
      ['*.tools.test', `http://worker.tools.test:${port}`],
      ['127.0.0.0/8', `http://worker.tools.test:${port}`],
    ];
    for (const [entry, uri] of uris) {
      const egress = open(t, { allow: [entry], lookup });
      const answer = await egress.get(uri, 'api', {
        timeoutMs: 5000,
        maxBytes: 100,
      });
      assert.ok(answer.ok, entry);
    }
    const other = open(t, { allow: [`http://127.0.0.1:${port}`], lookup });
    assert.equal((await failureOf(other, `http://worker.tools.test:${port}`, 'api')).kind, 'address_refused');
  });

  it('judges the name anew for every new connection', async (t) => {
    const port = await serve(t, (_request, response) =>
      response.setHeader('connection', 'close').end('first'),
    );
    const answers = [['127.0.0.1'], ['10.0.0.1']];
    const egress = open(t, { allow: ['127.0.0.1'], lookup: async () => answers.shift() ?? [] });
    const upstream = egress.upstream(`http://rebind.test:${port}`, 'api');
    assert.ok(upstream.ok);
    const first = await upstream.value.request(GET);
    assert.ok(first.ok);
    const second = await upstream.value.request(GET);
    assert.ok(!second.ok);
    assert.equal(second.error.kind, 'address_refused');
    assert.match(second.error.message, /10\.0\.0\.1/);
  });

  it('connects to the very address that was checked, asking for the name once', async (t) => {
    const port = await serve(t, (request, response) => response.end(request.headers.host));
    const asked: string[] = [];
    const egress = open(t, {
      allow: ['127.0.0.1'],
      lookup: async (host) => (asked.push(host) === 1 ? ['127.0.0.1'] : ['10.0.0.1']),
    });
    const upstream = egress.upstream(`http://nowhere.invalid:${port}`, 'api');
    assert.ok(upstream.ok);
    const reached = upstream.value;
    for (let count = 0; count < 3; count++) {
      const answer = await reached.request(GET);
      assert.ok(answer.ok);
      assert.equal(answer.value.body.toString(), `nowhere.invalid:${port}`);
    }
    assert.deepEqual(asked, ['nowhere.invalid']);
  });

  it('says when a name cannot be resolved', async (t) => {
    const empty = open(t, { lookup: async () => [] });
    assert.equal((await failureOf(empty, 'http://none.test', 'api')).kind, 'address_unresolved');
    const failing = open(t, { lookup: () => Promise.reject(new Error('EAI_AGAIN')) });
    const failure = await failureOf(failing, 'http://none.test', 'file');
    assert.equal(failure.kind, 'address_unresolved');
    assert.match(failure.message, /none\.test .*EAI_AGAIN/);
  });
});

describe('the URI of a destination', () => {
  const invalid = [
    '',
    'worker',
    'ftp://worker',
    'file:///etc/passwd',
    'http://',
    'http://1.2.3.256',
    'http://a b',
    'http://worker:0',
    'gopher://worker:70',
  ];
  for (const uri of [...invalid, 'http://user:hunter2@worker', 'http://[::1', 'http://user@worker']) {
    it(`refuses "${uri}" without repeating it`, (t) => {
      const upstream = open(t).upstream(uri, 'file');
      assert.ok(!upstream.ok);
      assert.equal(upstream.error.kind, 'uri_invalid');
      assert.doesNotMatch(upstream.error.message, /hunter2/);
    });
  }
});

describe('get', () => {
  const options = { headers: 'authorization: Bearer x\r\n', timeoutMs: 5000, maxBytes: 1000 };

  it('follows up to three redirects and no more', async (t) => {
    const port = await serve(t, (request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end('there');
      else response.writeHead(302, { location: `/${left - 1}` }).end();
    });
    const egress = open(t);
    const three = await egress.get(`http://127.0.0.1:${port}/3`, 'file', options);
    assert.ok(three.ok);
    assert.equal(three.value.body.toString(), 'there');
    const four = await egress.get(`http://127.0.0.1:${port}/4`, 'file', options);
    assert.ok(!four.ok);
    assert.match(four.error.message, /more than 3 redirects/);
  });

  it('refuses a redirect to an internal address', async (t) => {
    let isReached = false;
    const inside = await serve(t, (_request, response) => {
      isReached = true;
      response.end('secret');
    });
    const location = `http://127.0.0.1:${inside}/`;
    const port = await serve(t, (_request, response) => response.writeHead(307, { location }).end());
    const egress = open(t, { allow: [`http://127.0.0.1:${port}`] });
    const answer = await egress.get(`http://127.0.0.1:${port}/`, 'api', options);
    assert.ok(!answer.ok);
    assert.equal(answer.error.kind, 'address_refused');
    assert.equal(isReached, false);
  });

  it('refuses a redirect to another scheme or with credentials', async (t) => {
    for (const location of ['file:///etc/passwd', 'gopher://127.0.0.1', 'http://user:hunter2@127.0.0.1/']) {
      const port = await serve(t, (_request, response) => response.writeHead(301, { location }).end());
      const answer = await open(t).get(`http://127.0.0.1:${port}/`, 'file', options);
      assert.ok(!answer.ok);
      assert.equal(answer.error.kind, 'uri_invalid');
    }
  });

  it('gives the headers to the first origin only, even after the way leads back', async (t) => {
    const seen: (string | undefined)[] = [];
    const ports: number[] = [];
    const handler: Handler = (request, response) => {
      seen.push(request.headers.authorization);
      const hops: Record<string, string> = {
        '/a': '/b',
        '/b': `http://127.0.0.1:${ports[1]}/c`,
        '/c': `http://127.0.0.1:${ports[0]}/d`,
      };
      const location = hops[request.url ?? ''];
      if (location === undefined) response.end();
      else response.writeHead(302, { location }).end();
    };
    ports.push(await serve(t, handler), await serve(t, handler));
    const answer = await open(t).get(`http://127.0.0.1:${ports[0]}/a`, 'file', options);
    assert.ok(answer.ok);
    assert.deepEqual(seen, ['Bearer x', 'Bearer x', undefined, undefined]);
  });
});
