import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { emptyConfig, loadConfigFile } from './config-file.ts';
import { formatMistake } from './mistakes.ts';
import { redact } from './redact.ts';

const directory = mkdtempSync(join(tmpdir(), 'sallyport-hub-section-'));
after(() => rmSync(directory, { recursive: true }));
const path = join(directory, 'sallyport.yaml');
const noFurther = () => null;
const checks = { rule: noFurther, gateway: noFurther, userSource: noFurther, authProvider: noFurther };

function load(text: string, env: Record<string, string> = {}) {
  writeFileSync(path, text);
  return loadConfigFile(path, env, checks);
}

async function mistakesOf(text: string): Promise<string[]> {
  const loaded = await load(text);
  assert.ok(!loaded.ok, 'the file was taken');
  return loaded.error.map((mistake) => formatMistake(mistake).slice(path.length + 1));
}

async function hubOf(text: string, env: Record<string, string> = {}) {
  const loaded = await load(text, env);
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return loaded.value;
}

const full = `hub:
  learning: off
  auto: { tools: 10 }
  embeddings: { url: "http://10.0.0.7:11434/v1/embeddings", model: nomic, format: openai, dimensions: 256 }
  rerank: { url: "https://api.cohere.com/v2/rerank", model: rerank-v3.5, format: cohere, key: { fromEnv: COHERE } }
  rewrite: { url: "https://llm.example/v1/chat/completions?api-version=1", model: small, key: { fromFile: key } }
  enrichment: { url: "https://llm.example/v1/chat/completions", model: small, key: plain-text, per_day: 5 }
`;

describe('the section hub', () => {
  it('has a default for everything but the models, of which there are none', async () => {
    const { hub } = await hubOf('hub:\n');
    assert.deepEqual(hub, { learning: 'on', auto: { tools: 60, tokens: 20_000 } });
    assert.deepEqual(emptyConfig.hub, hub);
  });

  it('takes models with their keys by reference, and fills in how long they may take', async () => {
    writeFileSync(join(directory, 'key'), 'of-the-file\n');
    const { hub } = await hubOf(full, { COHERE: 'of-the-environment' });
    assert.equal(hub.learning, 'off');
    assert.deepEqual(hub.auto, { tools: 10, tokens: 20_000 });
    assert.deepEqual(hub.embeddings, {
      url: 'http://10.0.0.7:11434/v1/embeddings',
      model: 'nomic',
      format: 'openai',
      dimensions: 256,
      weight: 0.5,
      batch: 32,
      timeout_ms: 400,
    });
    assert.equal(hub.rerank?.key, 'of-the-environment');
    assert.equal(hub.rerank?.candidates, 50);
    assert.equal(hub.rewrite?.key, 'of-the-file');
    assert.equal(hub.enrichment?.per_day, 5);
  });

  it('never shows a key where the config is printed', async () => {
    writeFileSync(join(directory, 'key'), 'of-the-file\n');
    const printed = JSON.stringify(redact(await hubOf(full, { COHERE: 'of-the-environment' })));
    for (const secret of ['of-the-environment', 'of-the-file', 'plain-text'])
      assert.doesNotMatch(printed, new RegExp(secret));
    assert.match(printed, /rerank-v3\.5/);
  });

  it('tells every mistake with its place', async () => {
    const mistakes = await mistakesOf(`hub:
  learning: maybe
  auto: { tools: 0, token: 5 }
  embedding: {}
  embeddings: { url: "ftp://x", model: "a b", format: gemini, weight: 2, batch: 97, timeout_ms: 10 }
  rerank: { url: "https://user:secret@x.example/rerank", format: cohere, candidates: 101 }
  rewrite: { url: "https://x.example/chat", model: m, key: { fromEnv: NOT_THERE } }
  enrichment: { url: "https://x.example/chat#a", model: m, key: "a\\nb", per_day: 1.5 }
`);
    assert.deepEqual(mistakes, [
      '2:13 hub.learning: expected one of "on"|"off"',
      '3:18 hub.auto.tools: expected number to be >=1',
      '3:21 hub.auto.token: unknown key; did you mean "tokens"?',
      '4:3 hub.embedding: unknown key; did you mean "embeddings"?',
      '5:22 hub.embeddings.url: expected an http or https URL',
      '5:40 hub.embeddings.model: expected 1 to 200 characters without spaces',
      '5:55 hub.embeddings.format: expected one of "openai"|"voyage"|"cohere"',
      '5:71 hub.embeddings.weight: expected number to be <=1',
      '5:81 hub.embeddings.batch: expected number to be <=96',
      '5:97 hub.embeddings.timeout_ms: expected 50 or more milliseconds',
      '6:11 hub.rerank.model: is missing; expected a string',
      '6:18 hub.rerank.url: expected a URL without user name, password and #',
      '6:86 hub.rerank.candidates: expected number to be <=100',
      '7:60 hub.rewrite.key: expected environment variable NOT_THERE to be set and not empty',
      '8:22 hub.enrichment.url: expected a URL without user name, password and #',
      '8:65 hub.enrichment.key: expected 1 to 4096 printable characters without spaces',
      '8:82 hub.enrichment.per_day: expected a whole number, got a number',
    ]);
    assert.doesNotMatch(mistakes.join(), /user:secret/);
  });
});
