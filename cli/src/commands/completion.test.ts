import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { runIn } from '../../test/test-io.ts';

const bash = promisify(execFile);

/** What bash offers where the cursor stands behind the last of these words. */
async function offered(script: string, ...words: string[]): Promise<string[]> {
  const line = ['sallyport', ...words];
  const program = `${script}
COMP_WORDS=(${line.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${line.length - 1}
COMPREPLY=()
_sallyport
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await bash('bash', ['--norc', '-eu', '-c', program]);
  assert.equal(stderr, '');
  return stdout.split('\n').filter(Boolean);
}

test('bash completes commands, options and the values that are known', async () => {
  const { code, out } = await runIn('/', ['completion', 'bash']);
  assert.equal(code, 0);
  assert.deepEqual(await offered(out, 'stat'), ['status']);
  assert.deepEqual(await offered(out, 'tools', ''), ['list', 'call']);
  assert.deepEqual(await offered(out, 'tools', 'call', 'A.B', '--inp'), ['--input', '--input-file']);
  assert.deepEqual(await offered(out, 'tools', 'call', '--e'), ['--era']);
  assert.deepEqual(await offered(out, 'tools', 'call', '--era', '2026'), ['2026-07-28']);
  assert.deepEqual(await offered(out, 'connect', 'cur'), ['cursor']);
  assert.deepEqual(await offered(out, 'connect', 'cursor', '--scope', 'p'), ['project']);
  assert.deepEqual(await offered(out, 'deploy', 'schema', 's'), ['server']);
  // The value of an option is no command.
  assert.deepEqual(await offered(out, '--profile', 'tools', 'stat'), ['status']);
  assert.ok((await offered(out, 'deploy', '')).includes('schema'));
  assert.ok((await offered(out, 'status', '--')).includes('--json'));
});

test('there is a script for each shell, and no other', async () => {
  for (const shell of ['zsh', 'fish']) {
    const { code, out } = await runIn('/', ['completion', shell]);
    assert.equal(code, 0);
    for (const word of ['audit', 'tail', 'decision', 'refused'])
      assert.ok(out.includes(word), `${shell}: ${word}`);
  }
  assert.equal((await runIn('/', ['completion', 'powershell'])).code, 2);
});
