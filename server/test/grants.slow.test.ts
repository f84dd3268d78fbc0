import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { GrantRequest } from '@sallyport/contracts';
import { eras } from './both-eras.ts';
import { type EraClient, openEraClient } from './era-client.ts';
import { type Era, type EraServer, startEraServer } from './era-server.ts';
import { type Json, modern, startApp, startReferenceServer, type TestApp } from './start-app.ts';

const secret = 'a-worker-secret-of-more-than-32-bytes';
const users = ['alice', 'bob'] as const;
type User = (typeof users)[number];

describe('two users on one gateway that takes grants', () => {
  let worker: Awaited<ReturnType<typeof startReferenceServer>>;
  let server: EraServer;
  let app: TestApp;

  before(async () => {
    worker = await startReferenceServer(secret);
    server = await startEraServer('modern');
    app = await startApp(`
workers:
  - { id: reference, http: { uri: "${worker.uri}", secret: "${secret}" } }
  - { id: upstream, mcp: { uri: "${server.uri}" } }
gateways:
  - { name: Shared, slug: shared, access: granted }
`);
    for (const id of ['reference', 'upstream']) {
      const { state, message } = await app.app.rooms.sources.refresh('default', id);
      assert.equal(state, 'healthy', message);
    }
  });
  after(async () => {
    await app.close();
    await server.close();
    await worker.stop();
  });

  const grant = async (user: User, glob: string, more: Partial<GrantRequest> = {}): Promise<string> => {
    const { grants } = app.app.rooms.policy;
    const asked: GrantRequest = { subject: { user }, tools: [glob], effect: 'allow', ...more };
    return (await grants.create('default', asked)).id;
  };
  const revoke = async (id: string) => {
    assert.equal((await app.app.rooms.policy.grants.remove('default', id)).ok, true);
  };
  beforeEach(async () => {
    for (const { id } of app.app.rooms.policy.grants.list('default')) await revoke(id);
  });

  const headersOf = (user: User) => ({ authorization: `Bearer ${app.key}`, 'arcade-user-id': user });
  async function connect(era: Era, user: User, t: { after(run: () => Promise<void>): void }) {
    const client = await openEraClient(era, `${app.url}/mcp/shared`, headersOf(user));
    t.after(client.close);
    return client;
  }
  /** What a list holds, by the names in it. */
  async function listed(client: EraClient, list = 'tools', member = list): Promise<string[]> {
    const { result } = await client.request(`${list}/list`);
    return result[member].map((entry: Json) => entry.uri ?? entry.uriTemplate ?? entry.name);
  }
  const call = (client: EraClient, name: string, args: object = {}) =>
    client.request('tools/call', { name, arguments: args });

  for (const era of eras) {
    describe(`a client of the ${era} era`, () => {
      test('is shown, and may use, only what its user was given', async (t) => {
        await grant('alice', 'ArcadeEvalRef.*');
        await grant('bob', 'upstream.*');
        const [alice, bob] = [await connect(era, 'alice', t), await connect(era, 'bob', t)];
        assert.deepEqual(await listed(alice), [
          'ArcadeEvalRef_Echo',
          'ArcadeEvalRef_Add',
          'ArcadeEvalRef_Whoami',
        ]);
        for (const list of ['prompts', 'resources']) assert.deepEqual(await listed(alice, list), []);
        assert.deepEqual(await listed(alice, 'resources/templates', 'resourceTemplates'), []);
        const sum = await call(alice, 'ArcadeEvalRef_Add', { a: 2, b: 40 });
        assert.deepEqual(sum.result.structuredContent, { result: 42 });

        const ofBob = await listed(bob);
        assert.equal(ofBob.length, server.offer.tools.length);
        assert.equal(
          ofBob.every((name) => name.startsWith('upstream_')),
          true,
        );
        assert.equal((await listed(bob, 'prompts')).length, server.offer.prompts.length);
        assert.equal((await listed(bob, 'resources')).length, server.offer.resources.length);
        assert.equal((await call(bob, 'upstream_Echo')).result.structuredContent.said, 'Echo');
        assert.equal(
          (await bob.request('resources/read', { uri: 'test://text' })).result.contents[0].text,
          'hello',
        );
      });

      test('is told of the extensions of a server only where its user was given something of it', async (t) => {
        const weather = async (user: User) =>
          (await connect(era, user, t)).welcome.capabilities.extensions?.['com.example/weather'];
        await grant('bob', 'upstream.Echo');
        assert.deepEqual([await weather('alice'), typeof (await weather('bob'))], [undefined, 'object']);
      });

      test('is told of what its user was not given exactly what is told of what does not exist', async (t) => {
        await grant('alice', 'ArcadeEvalRef.*');
        // Nor does it tell whether a grant denies, or none allows.
        await grant('alice', 'upstream.Steps', { effect: 'deny' });
        const cases: [method: string, params: Json, real: string, madeUp: string][] = [
          ['tools/call', { name: 'upstream_Echo', arguments: {} }, 'upstream_Echo', 'upstream_Ecco'],
          ['tools/call', { name: 'upstream_Echo', arguments: { zulu: 1 } }, 'upstream_Echo', 'upstream_Ecco'],
          ['tools/call', { name: 'upstream.Echo', arguments: {} }, 'upstream.Echo', 'upstream.Ecco'],
          ['tools/call', { name: 'upstream_Steps', arguments: {} }, 'upstream_Steps', 'upstream_Stops'],
          [
            'prompts/get',
            { name: 'upstream_Greet', arguments: { who: 'x' } },
            'upstream_Greet',
            'upstream_Groot',
          ],
          ['resources/read', { uri: 'test://text' }, 'test://text', 'none://text'],
          [
            'completion/complete',
            { ref: { type: 'ref/prompt', name: 'upstream_Greet' }, argument: { name: 'who', value: 'x' } },
            'upstream_Greet',
            'upstream_Groot',
          ],
        ];
        const heardBefore = server.heard.length;
        const client = await connect(era, 'alice', t);
        for (const [method, params, real, madeUp] of cases) {
          const unknown = JSON.parse(JSON.stringify(params).replaceAll(real, madeUp));
          const [refused, notThere] = [await raw(era, method, params), await raw(era, method, unknown)];
          assert.equal(refused.text.replaceAll(real, madeUp), notThere.text, method);
          assert.deepEqual(refused.head, notThere.head, method);
          assert.match(refused.text, /isError":true|"error":/, method);
          const { error, result } = await client.request(method, params);
          assert.equal(error !== undefined || result.isError === true, true, method);
        }
        assert.equal(server.heard.length, heardBefore, 'the server heard of none of it');
      });

      test('hears of a new grant, sees it and uses it in the session that it has, and of one that is taken away', async (t) => {
        const client = await connect(era, 'alice', t);
        const stream = await client.listen();
        assert.deepEqual(await listed(client), []);
        assert.equal((await call(client, 'upstream_Raw')).result?.isError ?? true, true);

        const id = await grant('alice', 'upstream.Echo', { gateway: 'shared' });
        assert.deepEqual(await listed(client), ['upstream_Echo']);
        assert.equal((await call(client, 'upstream_Echo')).result.structuredContent.said, 'Echo');
        await stream.next('notifications/tools/list_changed');

        await revoke(id);
        assert.deepEqual(await listed(client), []);
        const { result, error } = await call(client, 'upstream_Echo');
        assert.equal(error !== undefined || result.isError === true, true);
        await stream.next('notifications/tools/list_changed');
      });
    });
  }

  /** The answer as it stands on the wire, and what its head says of it. */
  const eachItsOwn: ReadonlySet<string> = new Set(['date', 'traceparent', 'traceresponse']);

  async function raw(era: Era, method: string, params: Json) {
    const { message, headers } =
      era === 'modern'
        ? modern(method, params)
        : { message: { id: 1, method, params }, headers: { 'mcp-protocol-version': '2025-11-25' } };
    const response = await app.rpc('shared', message, headers);
    const head = Object.fromEntries([...response.headers].filter(([name]) => !eachItsOwn.has(name)));
    return { text: await response.text(), head: { ...head, status: response.status } };
  }

  test('prompts and resources are given one by one, and a user interface with its tool', async (t) => {
    await grant('alice', 'upstream.Greet');
    await grant('alice', 'upstream.test://text');
    await grant('bob', 'upstream.Panel');
    const [alice, bob] = [await connect('modern', 'alice', t), await connect('modern', 'bob', t)];
    assert.deepEqual(await listed(alice, 'prompts'), ['upstream_Greet']);
    assert.deepEqual(await listed(alice, 'resources'), ['test://text']);
    const read = async (client: EraClient, uri: string) =>
      (await client.request('resources/read', { uri })).error === undefined;
    assert.deepEqual(await Promise.all([read(alice, 'test://text'), read(alice, 'test://blob')]), [
      true,
      false,
    ]);
    assert.deepEqual(await Promise.all([read(alice, 'ui://panel/main'), read(bob, 'ui://panel/main')]), [
      false,
      true,
    ]);
  });

  test('a grant over what tools say of themselves gives those that say so, and what only reads anyway', async (t) => {
    await grant('alice', 'upstream.*', { metadata: { read_only: true } });
    const alice = await connect('modern', 'alice', t);
    assert.deepEqual(await listed(alice), ['upstream_Echo']);
    assert.deepEqual(await listed(alice, 'prompts'), ['upstream_Greet', 'upstream_Interview']);
  });

  test('a grant that denies beats those that allow, also over the REST API, where there is no gateway', async (t) => {
    await grant('alice', '*');
    const id = await grant('alice', '*.Add', { effect: 'deny' });
    const alice = await connect('legacy', 'alice', t);
    assert.equal((await listed(alice)).includes('ArcadeEvalRef_Add'), false);
    const rest = async (user: User) => {
      const response = await app.api('GET', `/v1/tools?user_id=${user}&toolkit=ArcadeEvalRef`);
      return ((await response.json()) as { items: Json[] }).items.map(({ name }) => name);
    };
    assert.deepEqual(await rest('alice'), ['Echo', 'Whoami']);
    assert.deepEqual(await rest('bob'), ['Echo', 'Add', 'Whoami']);
    await call(alice, 'ArcadeEvalRef_Add', { a: 1, b: 1 });
    const [record] = await app.records('&kind=tool_call&code=policy.not_granted');
    assert.deepEqual(record.policy.grants, [id]);
  });

  test('the audit tells which grant allowed a call, and that none did', async (t) => {
    const id = await grant('alice', 'ArcadeEvalRef.Add');
    const alice = await connect('modern', 'alice', t);
    await call(alice, 'ArcadeEvalRef_Add', { a: 1, b: 1 });
    await call(alice, 'ArcadeEvalRef_Echo', { text: 'x' });
    const [refused, allowed] = await app.records('&kind=tool_call&user_id=alice');
    assert.deepEqual(
      [refused.decision, refused.code, refused.tool, refused.policy.grants],
      ['refused', 'policy.not_granted', 'ArcadeEvalRef.Echo', []],
    );
    assert.deepEqual(
      [allowed.decision, allowed.code, allowed.policy.access, allowed.policy.grants],
      ['allowed', null, 'granted', [id]],
    );
    assert.equal(refused.policy.version, allowed.policy.version);
  });
});
