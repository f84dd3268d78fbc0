import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { clusterProject } from '../../test/fake-api-server/cluster-project.ts';
import { tempFolder, testIo, writeFiles } from '../../test/test-io.ts';
import { CommandError } from '../command-error.ts';
import { conventions as schema } from '../spec/conventions.ts';
import { connectCluster } from './connect.ts';

const conventions = schema.parse({ clusters: { agentic: { allowed: true, uid: 'u' } } });
const kubeSystem = JSON.stringify({ metadata: { name: 'kube-system', uid: 'u' } });

async function listening(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function refusal(
  t: TestContext,
  server: string,
  user: object = { token: 'the-token' },
): Promise<CommandError> {
  const folder = await tempFolder(t, {
    kubeconfig: JSON.stringify({
      clusters: [{ name: 'c', cluster: { server } }],
      contexts: [{ name: 'agentic', context: { cluster: 'c', user: 'u' } }],
      users: [{ name: 'u', user }],
    }),
  });
  const io = testIo(folder, { env: { KUBECONFIG: join(folder, 'kubeconfig') } });
  try {
    const cluster = await connectCluster(io, { conventions }, 'read', { timeoutMs: 20_000 });
    t.after(() => cluster.close());
    await cluster.list({ apiVersion: 'v1', kind: 'Pod' });
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const page = '<html>who are you?</html>';
for (const [name, first, then] of [
  ['a page for signing in', page, page],
  ['null', 'null', 'null'],
  ['nothing', '', ''],
  ['an object without a uid', '{}', '{}'],
  ['a page once it is known', kubeSystem, page],
  ['no list of kinds', kubeSystem, '{"resources":null}'],
  ['no list of objects', kubeSystem, '{"resources":[{"name":"pods","kind":"Pod","namespaced":true}]}'],
] as const) {
  test(`an API server that answers ${name} is told as none`, async (t) => {
    const server = await listening(t, ({ url = '' }, response) =>
      response.end(url.endsWith('/kube-system') ? first : then),
    );
    assert.equal((await refusal(t, server)).code, 'cluster.answer-invalid');
  });
}

test('an answer without end is not kept', async (t) => {
  let sent = 0;
  const server = await listening(t, (_, response) => {
    const chunk = 'x'.repeat(1 << 20);
    const go = (): void => {
      while (!response.destroyed && sent < 1 << 30) {
        sent += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', go);
      }
      response.end();
    };
    go();
  });
  assert.match((await refusal(t, server)).message, /more than 64 MiB/);
  assert.ok(sent < 5 * 128 * 1024 * 1024, `${sent} bytes were taken`);
});

test('a redirect is not followed', async (t) => {
  const seen: string[] = [];
  const other = await listening(t, ({ url = '' }, response) => {
    seen.push(url);
    response.end(kubeSystem);
  });
  const server = await listening(t, ({ url }, response) =>
    response.writeHead(307, { location: `${other}${url}` }).end(),
  );
  assert.equal((await refusal(t, server)).code, 'cluster.redirected');
  assert.deepEqual(seen, []);
});

test('a server behind the proxy of the API does not lead us to another path of the API', async (t) => {
  const { fake, run } = await clusterProject(t);
  const path = '/api/v1/namespaces/ai-platform/secrets';
  const server = await listening(t, (_, response) =>
    response.writeHead(307, { location: `${fake.url}${path}` }).end(),
  );
  fake.state.backendOf = () => server;
  const { code, out } = await run(['deploy', 'apply', 'proxmox', '--yes']);
  assert.equal(code, 1);
  assert.match(out, /✗ mcp .*sends requests on elsewhere/);
  assert.deepEqual(
    fake.requests.filter((request) => request.path.startsWith(path)),
    [],
  );
});

test('credentials in the address are refused without being shown', async (t) => {
  for (const address of ['https://admin:the-password@127.0.0.1:1', 'admin:the-password']) {
    const { code, message, details } = await refusal(t, address);
    assert.equal(code, 'cluster.kubeconfig-invalid');
    assert.ok(!JSON.stringify([message, details]).includes('the-password'));
  }
});

test('what a plug-in for signing in prints is not shown, as there may be a token in it', async (t) => {
  const folder = await tempFolder(t, {});
  const plugin = join(folder, 'plugin');
  await writeFiles(folder, { plugin: '#!/bin/sh\necho the-token-it-got\n' });
  await chmod(plugin, 0o755);
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: plugin,
    interactiveMode: 'Never',
  };
  const { code, message, cause } = await refusal(t, 'https://127.0.0.1:1', { exec });
  assert.equal(code, 'cluster.not-signed-in');
  assert.ok(!message.includes('the-token'));
  assert.equal(cause, undefined);
});
