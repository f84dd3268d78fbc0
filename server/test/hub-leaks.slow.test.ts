import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createServer, type RunningServer } from '@sallyport/server';
import { z } from 'zod';
import { type Json, startApp, type TestApp } from './start-app.ts';

/**
 * One project with many tools, of which policy leaves a caller some, and beside it one that has only these: the hub answers the same
 * in both, byte for byte.
 */

const secret = 'a-secret-of-at-least-32-characters-00';
const verbs = ['Create', 'Delete', 'List', 'Send', 'Archive', 'Find'];
const things = ['Issue', 'Invoice', 'Mail', 'Branch', 'Contact'];
const toolkits = ['Github', 'Sales', 'Books'];

interface Listed {
  readonly toolkit: string;
  readonly name: string;
}
const everything: readonly Listed[] = toolkits.flatMap((toolkit) =>
  verbs.flatMap((verb) => things.map((thing) => ({ toolkit, name: `${verb}${thing}` }))),
);
const nameOf = ({ toolkit, name }: Listed) => `${toolkit}.${name}`;

/** The same numbers on every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

let app: TestApp;
const workers: RunningServer[] = [];
const keys = new Map<string, string>();
let projects = 0;

before(async () => {
  app = await startApp('hub: { learning: off }', { env: { SALLYPORT_EGRESS_ALLOW: '127.0.0.0/8' } });
});
after(async () => {
  await app?.close();
  for (const worker of workers) await worker.stop();
});

async function serve(toolkit: string, tools: readonly Listed[]): Promise<string> {
  const server = createServer({ name: toolkit, version: '1.0.0', description: `What ${toolkit} has` });
  for (const { name } of tools) {
    const [, verb = '', thing = ''] = /^([A-Z][a-z]+)([A-Z][a-z]+)$/.exec(name) ?? [];
    server.tool(
      {
        name,
        description: `${verb} one ${thing.toLowerCase()} in ${toolkit}. It takes its number.`,
        input: z.object({ number: z.number(), [`${thing.toLowerCase()}_title`]: z.string().optional() }),
      },
      () => 'done',
    );
  }
  const running = await server.listen({ port: 0, workerSecret: secret, env: {} });
  workers.push(running);
  return running.url;
}

/** A project with these tools behind the gateway; its key. */
async function project(tools: readonly Listed[], access: 'open' | 'granted'): Promise<Json> {
  const { identity } = app.app.rooms;
  const name = `p${++projects}`;
  const { id: projectId } = await identity.people.createProject('default', name);
  const unrestricted = { users: null, gateways: null, tools: null, serviceAccountId: null, expiresAt: null };
  const { plaintext } = await identity.createKey({
    projectId,
    name,
    scopes: ['admin', 'read', 'call'],
    ...unrestricted,
  });
  keys.set(name, plaintext);
  const made = { name, slug: name, projectId };
  for (const toolkit of toolkits) {
    const offered = tools.filter((tool) => tool.toolkit === toolkit);
    if (offered.length === 0) continue;
    const http = { uri: await serve(toolkit, offered), secret };
    await ask(name, 'workers', { id: toolkit.toLowerCase(), type: 'http', http });
    await app.app.rooms.sources.refresh(projectId, toolkit.toLowerCase());
  }
  await ask(name, 'gateways', { name, slug: name, access, presentation: 'hub' });
  return made;
}

async function ask(name: string, path: string, body: object): Promise<Json> {
  const response = await fetch(`${app.url}/v1/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keys.get(name)}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return response.status === 204 ? null : await response.json();
}

/** Everything that can be asked, in the words of the answers. */
async function answersOf(name: string, more: object, permitted: readonly Listed[]): Promise<string[]> {
  const some = [...everything.slice(0, 40), ...permitted].map((tool) => `worker://${nameOf(tool)}`);
  const requests: [string, object][] = [
    ['search_tools', { query: 'send a mail to a contact', limit: 25 }],
    ['search_tools', { query: 'CreateIssue' }],
    ['search_tools', { query: 'delete everything in github', namespace: 'worker://Github' }],
    ['search_tools', { queries: ['archive an invoice', 'find a branch'], limit: 10 }],
    ['search_tools', { query: 'invoice', namespace: 'Sales' }],
    ['search_tools', { query: 'zzz qqq' }],
    ['search_tools', { query: 'invoice', namespace: 'worker://Book' }],
    ['search_tools', { query: 'zzz qqq', namespace: 'Sales' }],
    ['search_tools', { query: 'invoice', kinds: ['mcp'] }],
    ['search_tools', { query: 'invoice', namespace: 'Github', kinds: ['automation_hub'] }],
    ['search_tools', { queries: ['zzz qqq', 'book two seats on a flight to the moon', 'find a branch'] }],
    ['list_namespaces', {}],
    ['list_namespaces', { prefix: 'worker://Books' }],
    ['execute_tool', { tool: 'Github.NoSuchTool' }],
    ...Array.from({ length: 8 }, (_, at): [string, object] => [
      'get_tool_details',
      { tools: some.slice(at * 5, at * 5 + 5) },
    ]),
  ];
  const answers: string[] = [];
  for (const [tool, body] of requests)
    answers.push(JSON.stringify(await ask(name, `hub/${tool}`, { ...body, ...more })));
  return answers;
}

const randomSubset = (random: () => number, share: number) => everything.filter(() => random() < share);

describe('what the hub tells a caller of a project with many tools', () => {
  let full: Json;
  before(async () => {
    full = await project(everything, 'granted');
  });

  for (const [seed, share] of [
    [1, 0.02],
    [2, 0.1],
    [3, 0.4],
    [4, 0.9],
  ] as const) {
    it(`is what it would tell if the rest were not there (${share * 100} % are granted)`, async () => {
      const permitted = randomSubset(seeded(seed), share);
      assert.ok(permitted.length > 0);
      const user = `user${seed}`;
      const grant = { subject: { user }, tools: permitted.map(nameOf), effect: 'allow', gateway: full.slug };
      assert.notEqual((await ask(full.name, 'grants', grant)).id, undefined);
      const { name } = await project(permitted, 'open');
      const here = await answersOf(full.name, { user_id: user, gateway: full.slug }, permitted);
      const there = await answersOf(name, { user_id: user, gateway: name }, permitted);
      assert.deepEqual(here, there);
    });
  }

  it('is the same for a key that is confined to tools', async () => {
    const permitted = everything.filter(({ toolkit }) => toolkit === 'Books');
    const key = await ask(full.name, 'api_keys', {
      name: 'k',
      scopes: ['call'],
      tools: ['Books.*', 'Sales.*'],
    });
    const sales = await ask(full.name, 'grants', {
      subject: { user: 'u' },
      tools: ['Sales.*'],
      effect: 'deny',
    });
    assert.notEqual(sales.id, undefined);
    keys.set('confined', key.key);
    const { name } = await project(permitted, 'open');
    const here = await answersOf('confined', { user_id: 'u' }, permitted);
    assert.deepEqual(here, await answersOf(name, { user_id: 'u' }, permitted));
  });

  it('is nothing of what its callers may not call, whatever policy says', async () => {
    const random = seeded(7);
    for (let round = 0; round < 6; round++) {
      const user = `anyone${round}`;
      const allowed = randomSubset(random, 0.3).map(nameOf);
      const denied = randomSubset(random, 0.3).map(nameOf);
      const of = { subject: { user }, gateway: full.slug };
      await ask(full.name, 'grants', { ...of, tools: allowed, effect: 'allow' });
      await ask(full.name, 'grants', { ...of, tools: denied, effect: 'deny' });
      const callable = new Set(allowed.filter((name) => !denied.includes(name)));
      const asking = { user_id: user, gateway: full.slug };
      const { tools } = await ask(full.name, 'hub/search_tools', {
        ...asking,
        queries: things.map((thing) => `do something with one ${thing}`),
        limit: 25,
      });
      assert.ok(tools.length > 0);
      for (const { tool } of tools) assert.ok(callable.has(tool.slice('worker://'.length)), tool);
      const { namespaces } = await ask(full.name, 'hub/list_namespaces', asking);
      const roots = namespaces.map(({ tools }: Json) => tools);
      assert.equal(
        roots.reduce((sum: number, count: number) => sum + count, 0),
        callable.size,
      );
      const run = (tool: string) =>
        ask(full.name, 'hub/execute_tool', { ...asking, tool, input: { number: 1 } });
      assert.equal((await run(tools[0].tool)).status, 'succeeded');
      const hidden = everything.map(nameOf).find((name) => !callable.has(name)) ?? '';
      const [held, nowhere] = [await run(`worker://${hidden}`), await run('worker://No.Such')];
      assert.equal(held.name, 'catalog.tool_unknown');
      assert.equal(JSON.stringify(held).replace(hidden, 'No.Such'), JSON.stringify(nowhere));
    }
  });
});
