import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startReference, startSallyport, type TestSallyport } from '../../../test/sallyport.ts';
import { runIn, type TestIoOptions, tempFolder } from '../../../test/test-io.ts';

const secret = 'a_secret_of_this_worker';
let reference: Awaited<ReturnType<typeof startReference>>;
let server: TestSallyport;
before(async () => {
  reference = await startReference(secret);
  server = await startSallyport(
    { SALLYPORT_EGRESS_ALLOW: '127.0.0.0/8' },
    `gateways:
  - { name: Declared, slug: declared, tool_filter: { allowed_tools: [] } }
`,
  );
  for (const slug of ['people', 'all']) {
    const tool_filter = slug === 'people' ? { tool_filter: { allowed_tools: ['docs.*'] } } : {};
    await server.ask('POST', '/v1/gateways', { name: slug, slug, ...tool_filter });
  }
});
after(async () => {
  await server.stop();
  await reference.stop();
});

const withEnv = (more: Record<string, string> = {}): TestIoOptions => ({
  env: { SALLYPORT_URL: server.url, SALLYPORT_API_KEY: server.key, ...more },
});
const serverYaml = `name: calc
owner: platform
pattern: image
image: ghcr.io/acme/calc-mcp:1.0.0
register:
  gateways: [people]
`;

test('a server becomes a source, its tools are shown at a gateway, and agents are told of the gateway', async (t) => {
  const folder = await tempFolder(t, {
    'server.yaml': serverYaml,
    '.mcp.json': '{ "mcpServers": {} } // mine\n',
  });
  const register = (...more: string[]) =>
    runIn(
      folder,
      ['register', '--url', `${reference.url}/mcp`, '-g', 'all', '-g', 'declared', ...more],
      withEnv(),
    );
  const misspelt = await register('calc', '-g', 'poeple');
  assert.equal(misspelt.code, 1);
  assert.match((await register('clac')).err, /No server\.yaml of this repository is of clac/);
  assert.match(misspelt.err, /there is no gateway poeple/);
  assert.deepEqual(((await server.ask('GET', '/v1/workers')) as { items: unknown[] }).items, []);
  const first = await register();
  assert.equal(first.code, 0, first.err + first.out);
  assert.match(first.out, /calc is registered: http/);
  assert.match(first.out, /ok +tools_valid/);
  assert.match(first.out, /The gateway people shows its tools: /);
  assert.match(first.out, /The gateway all shows its tools already: /);
  assert.match(first.out, /declared is declared in the config file: add calc\.\* to its allowed_tools/);
  const list = await runIn(folder, ['tools', 'list', '-g', 'people', '-u', 'ann'], withEnv());
  assert.match(list.out, /^calc_ArcadeEvalRef_Echo/m);
  const call = [
    'tools',
    'call',
    'calc_ArcadeEvalRef_Add',
    '-g',
    'people',
    '-u',
    'ann',
    '-i',
    '{"a":2,"b":3}',
  ];
  assert.match((await runIn(folder, call, withEnv())).out, /5/);
  const mcpJson = JSON.parse((await readFile(join(folder, '.mcp.json'), 'utf8')).replace(' // mine', ''));
  assert.deepEqual(mcpJson.mcpServers.people, { type: 'http', url: `${server.url}/mcp/people` });

  const again = await register();
  assert.equal(again.code, 0, again.err);
  assert.match(again.out, /calc is registered already\./);
  assert.match(again.out, /The gateway people shows its tools already/);

  const moved = ['register', '--url', `${reference.url}/other`];
  const unasked = await runIn(folder, moved, withEnv());
  assert.equal(unasked.code, 1);
  assert.match(unasked.out, /- uri: http\S+\/mcp\n\+ uri: http\S+\/other\n/);
  assert.match(unasked.err, /Change calc\? Nothing was changed\./);
  const broken = await runIn(folder, [...moved, '--yes', '--wait', '0'], withEnv());
  assert.equal(broken.code, 1);
  assert.match(broken.out, /failed +authenticated .*HTTP 404/);
  assert.match(broken.out, /It stays registered/);

  const removed = await runIn(folder, ['register', '--remove', '--yes', '-g', 'people'], withEnv());
  assert.equal(removed.code, 0, removed.err);
  assert.match(removed.out, /calc is removed\./);
  const { items } = (await server.ask('GET', '/v1/workers')) as { items: unknown[] };
  assert.deepEqual(items, []);
  const twice = await runIn(folder, ['register', '--remove', '--yes'], withEnv());
  assert.match(twice.out, /calc is not registered\./);
});

test('a worker is registered with a secret from the environment, which nothing shows', async (t) => {
  const folder = await tempFolder(t);
  const args = [
    'register',
    '--id',
    'ref',
    '--type',
    'http',
    '--url',
    reference.url,
    '--no-mcp-json',
    '--wait',
    '0',
  ];
  const none = await runIn(folder, args, withEnv());
  assert.match(none.err, /needs the secret that its tokens are signed with\n.*--secret-env/);
  const unset = await runIn(folder, [...args, '--secret-env', 'REF'], withEnv());
  assert.match(unset.err, /the variable REF is not set/);
  const wrong = await runIn(folder, [...args, '--secret-env', 'REF'], withEnv({ REF: 'not_the_secret' }));
  assert.equal(wrong.code, 1);
  assert.match(wrong.out, /failed +authenticated/);
  const right = await runIn(folder, [...args, '--secret-env', 'REF', '--yes'], withEnv({ REF: secret }));
  assert.equal(right.code, 0, right.out + right.err);
  assert.match(right.out, /\+ secret: what REF holds/);
  assert.match(right.out, /healthy: it offers 3 tools/);
  for (const { out, err } of [wrong, right]) assert.doesNotMatch(out + err, /not_the_secret|a_secret_of/);
});

test('without a server.yaml it is asked what to register', async (t) => {
  const folder = await tempFolder(t);
  const { code, err } = await runIn(folder, ['register'], withEnv());
  assert.equal(code, 1);
  assert.match(err, /there is no \S+server\.yaml\n {2}Name one, or say --id and --url\./);
});
