import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, afterEach, before, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  embeddingOf,
  type ModelServer,
  modelDimensions,
  modelKey,
  startModelServer,
} from './model-server.ts';
import { type Json, startApp, startReferenceServer, type TestApp, type TestWorker } from './start-app.ts';

const secret = 'a-secret-of-at-least-32-characters-00';
let worker: TestWorker;
let models: ModelServer;
let app: TestApp;

const config = (hub: string) => `
workers:
  - { id: reference, http: { uri: "${worker.uri}", secret: { value: ${secret} } } }
hub:
${hub}`;
const endpoint = (path: string) =>
  `url: "${models.url}${path}", model: small, key: { fromEnv: MODEL_KEY }, timeout_ms: 10000`;
const embeddings = () => `  embeddings: { ${endpoint('/openai/embeddings')}, format: openai }\n`;
const rerank = () => `  rerank: { ${endpoint('/voyage/rerank')}, format: voyage }\n`;
const rewrite = () => `  rewrite: { ${endpoint('/openai/chat')} }\n`;
const enrichment = () => `  enrichment: { ${endpoint('/openai/chat')} }\n`;

before(async () => {
  worker = await startReferenceServer(secret);
  models = await startModelServer();
  app = await startApp(config('  learning: off\n'), { env: { MODEL_KEY: modelKey } });
  await app.app.rooms.sources.refresh('default', 'reference');
});
after(async () => {
  await app?.close();
  await models?.close();
  await worker?.stop();
});
afterEach(() => {
  models.misbehave = null;
  models.chat = () => '{"intents":[]}';
});

/** The file says this from now on; done when it acts, and everything is made that is to be made. */
async function use(hub: string, made: readonly string[]): Promise<void> {
  writeFileSync(app.configPath, config(hub));
  for (;;) {
    const all = await app.app.rooms.telemetry.metrics.read();
    const gaugeOf = (name: string, ...values: string[]) =>
      all
        .find((metric) => metric.name === name)
        ?.series.find((series) => values.every((value, at) => series.values[at] === value))?.value;
    const uses = ['embed_query', 'rerank', 'rewrite', 'enrich'].filter((one) =>
      hub.includes(sectionOf[one] as string),
    );
    const acts = uses.every((one) => gaugeOf('sallyport_model_up', one) !== undefined);
    const isMade = made.every((one) => gaugeOf('sallyport_model_documents', one, 'missing') === 0);
    if (acts && isMade) break;
    await nextTurn();
  }
  models.asked.length = 0;
}
const sectionOf: Record<string, string> = {
  embed_query: 'embeddings:',
  rerank: 'rerank:',
  rewrite: 'rewrite:',
  enrich: 'enrichment:',
};

async function search(query: string, key = app.key): Promise<string[]> {
  const response = await fetch(`${app.url}/v1/hub/search_tools`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, user_id: 'alice-4711' }),
  });
  assert.equal(response.status, 200);
  const { tools } = (await response.json()) as Json;
  return tools.map(({ tool }: Json) => tool.replace(/@.*/, ''));
}

/** What changes is searched within a moment. */
async function finds(query: string, tool: string): Promise<void> {
  while ((await search(query))[0] !== tool) await nextTurn();
}

const echo = 'worker://ArcadeEvalRef.Echo';
const add = 'worker://ArcadeEvalRef.Add';

it('a tool is found by the meaning that a configured model sees, and without it once that fails', async () => {
  await use(embeddings(), ['embed_documents']);
  models.misbehave = (path, body, response) => {
    if (path !== '/openai/embeddings' || body.input[0] !== 'frobnicate') return false;
    const embedding = embeddingOf('ArcadeEvalRef Echo', modelDimensions);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ data: [{ index: 0, embedding }] }));
    return true;
  };
  await finds('frobnicate', echo);
  models.misbehave = (_, _body, response) => {
    response.writeHead(500).end();
    return true;
  };
  assert.ok((await search('echo a text')).includes(echo));
  assert.deepEqual(models.problems, []);
});

it('a search that is several is searched as these, too', async () => {
  await use(rewrite(), []);
  models.chat = (_, { query }) => JSON.stringify({ intents: query === 'xyzzy' ? ['add two numbers'] : [] });
  assert.ok((await search('xyzzy')).includes(add));
  assert.deepEqual(await search('plugh'), []);
});

it('a model that orders what was found is given what the caller may use, and nothing else of it', async () => {
  await use(rerank(), []);
  models.misbehave = (_, body, response) => {
    const data = body.documents.map((text: string, index: number) => ({
      index,
      relevance_score: text.startsWith('Echo') ? 1 : 0,
    }));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ data }));
    return true;
  };
  assert.equal((await search('add numbers, or echo a text'))[0], echo);
  models.asked.length = 0;
  const made = await app.api('POST', '/v1/api_keys', {
    name: 'k',
    scopes: ['call'],
    tools: ['ArcadeEvalRef.Add'],
  });
  const { key } = (await made.json()) as Json;
  assert.deepEqual(await search('add numbers, or echo a text', key), [add]);
  const [{ body, headers }] = models.asked as [ModelServer['asked'][number]];
  assert.equal(body.documents.length, 1);
  assert.match(body.documents[0], /^Add/);
  assert.doesNotMatch(JSON.stringify([body, headers]), /4711|traceparent/);
});

it('words that a model wrote of a tool find it, and are shown to nobody', async () => {
  models.chat = (_, { name }) =>
    JSON.stringify({
      when_to_use: name === 'Echo' ? 'When somebody wants to hear a shibboleth' : 'Sometimes',
      example_queries: [],
      synonyms: [],
      limitations: '',
    });
  await use(enrichment(), ['enrich']);
  await finds('shibboleth', echo);
  const details = await app.api('POST', '/v1/hub/get_tool_details', { tools: [echo], user_id: 'alice-4711' });
  const told = await details.text();
  assert.match(told, /ArcadeEvalRef/);
  assert.doesNotMatch(told, /shibboleth/);
  await use('  learning: off\n', []);
  while ((await search('shibboleth')).length > 0) await nextTurn();
});
