import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { testIo } from '../../test/test-io.ts';
import { createRegistries } from './registry.ts';
import { resolveDigests } from './resolve-digests.ts';

const digest = `sha256:${'d'.repeat(64)}`;

async function startRegistry(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function resolve(...images: readonly string[]) {
  const told: string[] = [];
  const io = testIo('/');
  const printer = { progress: (line: string) => void told.push(line) };
  const digests = await resolveDigests(images, createRegistries(io), io, printer);
  return { digests: Object.fromEntries(digests), told };
}

test('a registry is asked for the digest of a tag, with the token it gives to anybody', async (t) => {
  const host = await startRegistry(t, ({ url, headers, method }, response) => {
    if (url?.startsWith('/token')) {
      assert.equal(url, '/token?service=r&scope=repository%3Aacme%2Fx%3Apull');
      response.end('{"token":"for-anybody"}');
    } else if (headers.authorization !== 'Bearer for-anybody') {
      const realm = `http://${headers.host}/token`;
      response.setHeader(
        'www-authenticate',
        `Bearer realm="${realm}",service="r",scope="repository:acme/x:pull"`,
      );
      response.writeHead(401).end();
    } else {
      assert.equal(`${method} ${url}`, 'HEAD /v2/acme/x/manifests/1.2');
      response.writeHead(200, { 'docker-content-digest': digest }).end();
    }
  });
  const { digests } = await resolve(
    `${host}/acme/x:1.2`,
    `${host}/acme/x:latest`,
    `${host}/acme/y:1@${digest}`,
  );
  assert.deepEqual(digests, { [`${host}/acme/x:1.2`]: digest });
});

test('what a registry does not tell is said, and left out', async (t) => {
  const missing = await startRegistry(t, (_, response) => response.writeHead(404).end());
  const strange = await startRegistry(t, (_, response) =>
    response.writeHead(200, { 'docker-content-digest': 'md5:1' }).end(),
  );
  const guarded = await startRegistry(t, (_, response) => {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
  });
  const { digests, told } = await resolve(`${missing}/a:1`, `${strange}/a:1`, `${guarded}/a:1`);
  assert.deepEqual(digests, {});
  const said = told.filter((line) => !line.startsWith('asking')).map((line) => line.replace(/^\S+ /, ''));
  assert.deepEqual(said, [
    'the registry answers 404',
    'the registry tells no digest',
    'the registry wants a password',
  ]);
});
