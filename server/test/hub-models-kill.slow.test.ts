import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { it } from 'node:test';
import { temporaryDirectory } from './database.ts';
import { modelKey, startModelServer } from './model-server.ts';
import { startProcess } from './start-process.ts';

const count = 40;

/** A worker that offers so many tools. */
async function startWorker() {
  const tools = Array.from({ length: count }, (_, at) => ({
    name: `Tool${at}`,
    fully_qualified_name: `Kit.Tool${at}`,
    description: `Does number ${at}`,
    toolkit: { name: 'Kit', version: '1.0.0' },
    input: { parameters: [] },
    output: { value_schema: { val_type: 'string' } },
  }));
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(tools));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { uri, close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()) };
}

it('vectors that were made before a kill -9 are there after it, and only what was under way is made again', async (t) => {
  const directory = temporaryDirectory();
  const worker = await startWorker();
  const models = await startModelServer();
  t.after(async () => {
    await models.close();
    await worker.close();
    rmSync(directory, { recursive: true, force: true });
  });
  writeFileSync(
    join(directory, 'sallyport.yaml'),
    `workers:
  - { id: many, http: { uri: "${worker.uri}", secret: { value: a-secret-of-at-least-32-characters-00 } } }
hub:
  embeddings: { url: "${models.url}/cohere/embed", model: small, format: cohere, batch: 4, key: { fromEnv: MODEL_KEY } }
`,
  );
  const start = () => startProcess({ MODEL_KEY: modelKey, SALLYPORT_DATA_DIR: directory }, directory);
  const first = await start();
  t.after(() => first.child.kill('SIGKILL'));
  await models.came(5);
  assert.equal(await first.stop('SIGKILL'), 'SIGKILL');
  const before = models.asked.length;
  assert.ok(before < count / 4, 'it was over before it was killed');

  const second = await start();
  t.after(() => second.child.kill('SIGKILL'));
  const texts = () => models.asked.flatMap(({ body }) => body.texts as string[]);
  for (let next = before + 1; new Set(texts()).size < count; next++) await models.came(next);
  assert.ok(texts().length <= count + 4, `${texts().length} texts were sent`);
  assert.deepEqual(models.problems, []);
  assert.equal(await second.stop('SIGTERM'), 0);
});
