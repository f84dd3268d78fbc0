import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { temporaryDirectory } from './database.ts';
import { startListingWorker } from './listing-worker.ts';
import { modelKey, startModelServer } from './model-server.ts';
import { startProcess } from './start-process.ts';

const count = 40;
const tools = Array.from({ length: count }, (_, at) => ({
  name: `Tool${at}`,
  description: `Does number ${at}`,
}));

it('vectors that were made before a kill -9 are there after it, and only what was under way is made again', async (t) => {
  const directory = temporaryDirectory();
  const worker = await startListingWorker('Kit', tools);
  const models = await startModelServer();
  t.after(async () => {
    await models.close();
    await worker.stop();
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
