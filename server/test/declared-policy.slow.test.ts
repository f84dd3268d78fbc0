import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type Json, messageOf, startApp, startReferenceServer, type TestApp, toolCall } from './start-app.ts';

/** What the config file lays down acts like what the API lays down, is gone when the file drops it, and is read-only. */

const secret = 'a-worker-secret-of-thirty-two-chars';
let app: TestApp;
let worker: Awaited<ReturnType<typeof startReferenceServer>>;
let plain: string;

before(async () => {
  worker = await startReferenceServer(secret);
  app = await startApp(`
workers:
  - { id: reference, http: { uri: "${worker.uri}", secret: ${secret} } }
gateways:
  - { slug: eng }
`);
  plain = readFileSync(app.configPath, 'utf8');
  await app.app.rooms.sources.refresh('default', 'reference');
});
after(async () => {
  await app?.close();
  await worker?.stop();
});

/** Writes the file and waits until the API shows so many entries of the file at this path. */
async function declare(text: string, path: string, count: number): Promise<Json[]> {
  writeFileSync(app.configPath, plain + text);
  for (;;) {
    const { items } = (await (await app.api('GET', path)).json()) as Json;
    const declared = items.filter(({ binding }: Json) => binding.type === 'static');
    if (declared.length === count) return declared;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** How a call of Echo ends: with its text, or with the code of the refusal. */
async function echo(text: string): Promise<string> {
  const { result, error } = await messageOf(await app.rpc('eng', toolCall('ArcadeEvalRef_Echo', { text })));
  const told = error?.data ?? result?._meta?.['sallyport/error'] ?? result?.structuredContent ?? {};
  return told.name ?? JSON.stringify(result?.content ?? error);
}

async function isReadOnly(path: string): Promise<void> {
  for (const method of ['PATCH', 'DELETE']) {
    const refused = await app.api(method, path, method === 'PATCH' ? {} : undefined);
    assert.equal(((await refused.json()) as Json).name, 'resource.read_only', `${method} ${path}`);
  }
}

test('rules', async () => {
  const rule = {
    name: 'no cats',
    direction: 'input',
    tools: ['*'],
    match: { pattern: 'c[aA]t' },
    action: 'block',
  };
  const [shown] = await declare(`\nrules: [${JSON.stringify(rule)}]\n`, '/v1/rules', 1);
  const { id, binding, ...asked } = shown;
  assert.deepEqual(asked, rule);
  assert.match(await echo('a cat'), /policy\.input_blocked|rule/);
  assert.match(await echo('a dog'), /a dog/);
  const record = (await app.records('&code=policy.input_blocked'))[0];
  assert.match(JSON.stringify(record), new RegExp(id));
  await isReadOnly(`/v1/rules/${id}`);
  await declare('', '/v1/rules', 0);
  assert.match(await echo('a cat'), /a cat/);
});

test('limits', async () => {
  const limit = { name: 'few', tools: ['*'], per: ['user'], rate: { limit: 1, per_seconds: 86400 } };
  const [shown] = await declare(`\nlimits: [${JSON.stringify(limit)}]\n`, '/v1/limits', 1);
  assert.match(await echo('one'), /one/);
  await echo('two');
  assert.equal((await app.records('&code=policy.rate_limited')).length, 1);
  await isReadOnly(`/v1/limits/${shown.id}`);
  await declare('', '/v1/limits', 0);
  assert.match(await echo('three'), /three/);
});

test('plugins and hooks', async () => {
  const plugin = {
    id: 'nobody',
    name: 'Nobody answers here',
    plugin_type: 'webhook',
    webhook_config: { endpoints: { pre: { url: 'http://127.0.0.1:9/pre', timeout_ms: 1000 } } },
    retry: { enabled: false },
  };
  const hook = {
    name: 'ask',
    plugin_id: 'nobody',
    hook_point: 'tool.pre',
    failure_mode: 'fail_closed',
    phase: 'before',
  };
  const declared = `\nplugins: [${JSON.stringify(plugin)}]\n`;
  await declare(declared, '/v1/plugins', 1);
  assert.match(await echo('one'), /one/, 'without a hook it is not asked');
  writeFileSync(app.configPath, `${plain}${declared}hooks: [${JSON.stringify(hook)}]\n`);
  let hooks: Json[] = [];
  while (hooks.length === 0) hooks = ((await (await app.api('GET', '/v1/hooks')).json()) as Json).items;
  await echo('two');
  assert.equal((await app.records('&code=policy.hook_failed')).length, 1);
  await isReadOnly(`/v1/hooks/${hooks[0].id}`);
  await declare('', '/v1/plugins', 0);
  assert.match(await echo('three'), /three/);
});

test('a file whose rule cannot be compiled changes nothing, and says where', async () => {
  const grants = '\ngrants: [{ subject: { everyone: true }, tools: ["*"], effect: deny }]\n';
  const rules =
    'rules:\n  - { name: r, direction: input, tools: ["*"], action: block, condition: "user ==" }\n';
  writeFileSync(app.configPath, plain + grants + rules);
  for (;;) {
    const { checks } = (await (await fetch(`${app.url}/readyz`)).json()) as Json;
    if (checks.config.ok) continue;
    assert.match(checks.config.mistakes.join(), /yaml:\d+:\d+ rules\[0\]\.condition: /);
    break;
  }
  assert.match(await echo('still here'), /still here/);
  await declare('', '/v1/grants', 0);
});
