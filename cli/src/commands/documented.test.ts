import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Command } from 'commander';
import { placesOf } from '../output/completion/tree.ts';
import { addCommands } from './index.ts';

test('docs/guides/cli.md names every command, and every option', async () => {
  const page = await readFile(new URL('../../../docs/guides/cli.md', import.meta.url), 'utf8');
  const program = new Command('sallyport');
  addCommands(program, () => async () => undefined);
  const missing = placesOf(program).flatMap(({ path, commands, options }) => [
    ...(commands.length > 0 || page.includes(path.split(' ').slice(-2).join(' ')) ? [] : [path]),
    ...options
      .filter(({ word }) => !new RegExp(`${word}(?![\\w-])`).test(page))
      .map(({ word }) => `${path} ${word}`),
  ]);
  assert.deepEqual(missing, []);
});
