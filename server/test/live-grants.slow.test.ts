import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import {
  type Json,
  messageOf,
  modern,
  startApp,
  startReferenceServer,
  type TestApp,
  toolCall,
} from './start-app.ts';

/** A grant acts on the next call of sessions that are open, and whoever listens hears of it. */

const secret = 'a-worker-secret-of-thirty-two-chars';
const user = 'alice';
const changed = 'notifications/tools/list_changed';
const echoForAlice = { subject: { user }, tools: ['ArcadeEvalRef.Echo'], gateway: 'eng', effect: 'allow' };

interface Listener {
  /** Waits for the next word that the list of tools has changed. */
  hear(): Promise<void>;
  names(): Promise<string[]>;
  leave(): Promise<void>;
}

let app: TestApp;
let worker: Awaited<ReturnType<typeof startReferenceServer>>;

before(async () => {
  worker = await startReferenceServer(secret);
  app = await startApp(`
workers:
  - { id: reference, http: { uri: "${worker.uri}", secret: ${secret} } }
gateways:
  - { slug: eng, access: granted }
  - { slug: ops, access: granted }
`);
  await app.app.rooms.sources.refresh('default', 'reference');
  await app.api('POST', '/v1/gateways', { name: 'Open', slug: 'open' });
});
after(async () => {
  await app?.close();
  await worker?.stop();
});

/** The messages of a stream, as they come. */
async function* messages(response: Response): AsyncGenerator<Json> {
  let text = '';
  for await (const chunk of response.body as ReadableStream<Uint8Array>) {
    text += Buffer.from(chunk).toString();
    const events = text.split('\n\n');
    text = events.pop() as string;
    for (const event of events) {
      const data = event.split('\n').find((line) => line.startsWith('data: '));
      if (data !== undefined) yield JSON.parse(data.slice(6));
    }
  }
}

async function hearOn(stream: AsyncGenerator<Json>): Promise<void> {
  for (;;) {
    const { value, done } = await stream.next();
    assert.notEqual(done, true, 'the stream ended');
    if (value.method === changed) return;
  }
}

const namesIn = ({ tools }: Json): string[] => tools.map(({ name }: Json) => name);

/** A session with a GET stream. */
async function legacyListener(slug: string): Promise<Listener> {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  };
  const opened = await app.rpc(slug, { id: 0, method: 'initialize', params });
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') as string };
  await opened.text();
  const leaving = new AbortController();
  const response = await fetch(`${app.url}/mcp/${slug}`, {
    headers: { authorization: app.key, 'arcade-user-id': user, accept: 'text/event-stream', ...session },
    signal: leaving.signal,
  });
  const stream = messages(response);
  return {
    hear: () => hearOn(stream),
    names: async () =>
      namesIn((await messageOf(await app.rpc(slug, { id: 1, method: 'tools/list' }, session))).result),
    async leave() {
      leaving.abort();
    },
  };
}

/** `subscriptions/listen`. */
async function modernListener(slug: string): Promise<Listener> {
  const { message, headers } = modern('subscriptions/listen', { notifications: { toolsListChanged: true } });
  const stream = messages(await app.rpc(slug, message, headers));
  const { value } = await stream.next();
  assert.equal(value.method, 'notifications/subscriptions/acknowledged');
  const list = modern('tools/list');
  return {
    hear: () => hearOn(stream),
    names: async () => namesIn((await messageOf(await app.rpc(slug, list.message, list.headers))).result),
    async leave() {
      await stream.return(undefined);
    },
  };
}

async function grant(body: object): Promise<string> {
  const made = await app.api('POST', '/v1/grants', body);
  assert.equal(made.status, 201);
  return ((await made.json()) as { id: string }).id;
}

const take = async (id: string) =>
  assert.equal((await app.api('DELETE', `/v1/grants/${id}`)).status, 204, `grant ${id} was not taken away`);

for (const [era, listenerOn] of [
  ['a session', legacyListener],
  ['subscriptions/listen', modernListener],
] as const) {
  describe(`with ${era}`, () => {
    test('a grant is heard of, and so is its end; the next list and the next call follow it', async () => {
      const listener = await listenerOn('eng');
      try {
        assert.deepEqual(await listener.names(), []);
        const id = await grant(echoForAlice);
        await listener.hear();
        assert.deepEqual(await listener.names(), ['ArcadeEvalRef_Echo']);
        const call = () => app.rpc('eng', toolCall('ArcadeEvalRef_Echo', { text: 'hello' }));
        assert.match(JSON.stringify((await messageOf(await call())).result), /hello/);
        await take(id);
        await listener.hear();
        assert.deepEqual(await listener.names(), []);
        const refused = (await messageOf(await call())).error;
        const unknown = (await messageOf(await app.rpc('eng', toolCall('ArcadeEvalRef_Echa')))).error;
        assert.deepEqual(
          JSON.stringify(refused).replaceAll('Echo', 'Echa'),
          JSON.stringify(unknown),
          'refused as what does not exist',
        );
      } finally {
        await listener.leave();
      }
    });

    test('a grant for every gateway is heard of on each, one for another gateway is not', async () => {
      const listeners = [await listenerOn('eng'), await listenerOn('ops')];
      try {
        const [eng, ops] = listeners as [Listener, Listener];
        const onlyOps = await grant({ ...echoForAlice, gateway: 'ops' });
        await ops.hear();
        const everywhere = await grant({ ...echoForAlice, gateway: null, tools: ['*.Add'] });
        await eng.hear();
        await ops.hear();
        assert.deepEqual(await eng.names(), ['ArcadeEvalRef_Add']);
        assert.deepEqual((await ops.names()).toSorted(), ['ArcadeEvalRef_Add', 'ArcadeEvalRef_Echo']);
        await take(onlyOps);
        await take(everywhere);
      } finally {
        for (const listener of listeners) await listener.leave();
      }
    });

    test('a change of the gateway’s access is heard of', async () => {
      const { items } = (await (await app.api('GET', '/v1/gateways')).json()) as Json;
      const { id } = items.find(({ slug }: Json) => slug === 'open');
      const listener = await listenerOn('open');
      try {
        assert.equal((await listener.names()).length, 3);
        for (const [access, count] of [
          ['granted', 0],
          ['open', 3],
        ] as const) {
          assert.equal((await app.api('PATCH', `/v1/gateways/${id}`, { access })).status, 200);
          await listener.hear();
          assert.equal((await listener.names()).length, count);
        }
      } finally {
        await listener.leave();
      }
    });

    test('what the config file grants is heard of when the file changes, and read-only in the API', async () => {
      const before = readFileSync(app.configPath, 'utf8');
      const listener = await listenerOn('eng');
      try {
        const grants = '\ngrants:\n  - { subject: { everyone: true }, tools: ["*.Who*"], effect: allow }\n';
        writeFileSync(app.configPath, before + grants);
        await listener.hear();
        assert.deepEqual(await listener.names(), ['ArcadeEvalRef_Whoami']);
        const { items } = (await (await app.api('GET', '/v1/grants')).json()) as Json;
        assert.deepEqual(
          items.map(({ binding, created_at }: Json) => [binding.type, created_at]),
          [['static', undefined]],
        );
        for (const [method, body] of [
          ['PATCH', { description: 'mine' }],
          ['PUT', echoForAlice],
          ['DELETE', undefined],
        ] as const) {
          const refused = await app.api(method, `/v1/grants/${items[0].id}`, body);
          assert.equal(((await refused.json()) as Json).name, 'resource.read_only');
        }
        writeFileSync(app.configPath, before);
        await listener.hear();
        assert.deepEqual(await listener.names(), []);
      } finally {
        writeFileSync(app.configPath, before);
        await listener.leave();
      }
    });
  });
}

test('the official client refreshes its tools by itself', async () => {
  const heard = Promise.withResolvers<string[]>();
  const client = new Client(
    { name: 'test', version: '1' },
    {
      listChanged: {
        tools: { onChanged: (_error, tools) => heard.resolve((tools ?? []).map(({ name }) => name)) },
      },
    },
  );
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${app.url}/mcp/eng`), {
      requestInit: { headers: { authorization: app.key, 'arcade-user-id': user } },
    }),
  );
  try {
    assert.deepEqual((await client.listTools()).tools, []);
    const id = await grant(echoForAlice);
    assert.deepEqual(await heard.promise, ['ArcadeEvalRef_Echo']);
    await take(id);
  } finally {
    await client.close();
  }
});

test('what in the file names a gateway that is not there is told until it is', async () => {
  const before = readFileSync(app.configPath, 'utf8');
  const told = async () => ((await (await fetch(`${app.url}/readyz`)).json()) as Json).checks.config;
  const listener = await legacyListener('ops');
  try {
    const grants = [
      '\ngrants:',
      '  - { subject: { everyone: true }, tools: ["*"], effect: deny, gateway: later }',
      '  - { subject: { everyone: true }, tools: ["*.Add"], effect: allow, gateway: ops }\n',
    ];
    writeFileSync(app.configPath, before + grants.join('\n'));
    await listener.hear();
    const { ok, mistakes } = await told();
    assert.equal(ok, false);
    assert.match(mistakes.join(), /grants\[0\]: acts nowhere: there is no gateway with the slug "later"/);
    assert.equal((await app.api('POST', '/v1/gateways', { name: 'Later', slug: 'later' })).status, 201);
    assert.deepEqual(await told(), { ok: true, mistakes: [] });
  } finally {
    writeFileSync(app.configPath, before);
    await listener.leave();
  }
});
