import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Fault } from '#foundation';
import { temporaryDirectory } from '../../test/database.ts';
import { lockDataDir } from './lock.ts';

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A process that holds the lock until it is killed. */
async function holder(dataDir: string) {
  const code = `const { lockDataDir } = await import(${JSON.stringify(join(import.meta.dirname, 'lock.ts'))});
    await lockDataDir(${JSON.stringify(dataDir)});
    process.stdout.write('locked');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: join(import.meta.dirname, '..'),
  });
  await once(child.stdout, 'data');
  return child;
}

describe('the lock of a data directory', () => {
  for (const [what, below] of [
    ['short', 'data'],
    ['long', `${'d'.repeat(80)}/${'e'.repeat(80)}`],
  ] as const) {
    it(`names the process that holds it, and is free once that was killed (${what} path)`, async () => {
      const dataDir = join(directory, below);
      const child = await holder(dataDir);
      await assert.rejects(lockDataDir(dataDir), (thrown: Fault) => {
        assert.ok(thrown instanceof Fault);
        assert.ok(
          thrown.message.includes(`${dataDir} is in use by process ${child.pid} on `),
          thrown.message,
        );
        return true;
      });
      child.kill('SIGKILL');
      await once(child, 'exit');
      const lock = await lockDataDir(dataDir);
      await assert.rejects(lockDataDir(dataDir), Fault);
      lock.release();
      assert.equal(existsSync(join(dataDir, 'lock')), false);
    });
  }

  it('is one lock, whichever way the directory is reached', async () => {
    mkdirSync(join(directory, 'real'));
    symlinkSync(join(directory, 'real'), join(directory, 'link'));
    const lock = await lockDataDir(join(directory, 'real'));
    await assert.rejects(lockDataDir(join(directory, 'link')), Fault);
    lock.release();
  });

  it('goes to one of many that ask together, also after a crash', async () => {
    const child = await holder(directory);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const asked = await Promise.allSettled(Array.from({ length: 8 }, () => lockDataDir(directory)));
    const won = asked.filter((result) => result.status === 'fulfilled');
    assert.equal(won.length, 1);
    won[0]?.value.release();
  });

  it('says so when the directory cannot be used', async () => {
    writeFileSync(join(directory, 'file'), '');
    await assert.rejects(lockDataDir(join(directory, 'file', 'data')), /Cannot write in the data directory/);
  });
});
