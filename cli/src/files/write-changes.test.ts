import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { readFiles, tempFolder, testIo } from '../../test/test-io.ts';
import { CommandError } from '../command-error.ts';
import { createPrinter } from '../output/printer.ts';
import type { FileChange } from './file-change.ts';
import { writeChanges } from './write-changes.ts';

async function write(cwd: string, changes: readonly FileChange[], dryRun = false): Promise<string> {
  const io = testIo(cwd);
  await writeChanges(changes, { io, printer: createPrinter(io, false), dryRun });
  return io.out();
}

test('files are changed, made and removed in one go, and the difference is shown', async (t) => {
  const folder = await tempFolder(t, { 'a.yaml': 'a: 1\nb: 2\n', 'gone.yaml': 'x\n' });
  const shown = await write(folder, [
    { path: join(folder, 'a.yaml'), before: 'a: 1\nb: 2\n', after: 'a: 1\nb: 3\n' },
    { path: join(folder, 'gone.yaml'), before: 'x\n', after: null },
    { path: join(folder, 'new/deep/c.yaml'), before: null, after: 'c\n' },
  ]);
  assert.deepEqual(await readFiles(folder), { 'a.yaml': 'a: 1\nb: 3\n', 'new/deep/c.yaml': 'c\n' });
  assert.match(shown, /^--- a\/a\.yaml\n\+\+\+ b\/a\.yaml\n@@ -1,2 \+1,2 @@\n a: 1\n-b: 2\n\+b: 3\n/);
  assert.match(shown, /--- \/dev\/null\n\+\+\+ b\/new\/deep\/c\.yaml/);
  assert.match(shown, /--- a\/gone\.yaml\n\+\+\+ \/dev\/null/);
});

test('a dry run shows the difference and writes nothing', async (t) => {
  const folder = await tempFolder(t, { 'a.yaml': 'a\n' });
  const shown = await write(folder, [{ path: join(folder, 'a.yaml'), before: 'a\n', after: 'b\n' }], true);
  assert.match(shown, /-a\n\+b/);
  assert.deepEqual(await readFiles(folder), { 'a.yaml': 'a\n' });
});

test('a file outside of the folder is shown with its whole path', async (t) => {
  const folder = await tempFolder(t, { '..a.yaml': 'a\n' });
  const outside = join(dirname(folder), '.client/config.toml');
  const shown = await write(
    folder,
    [
      { path: outside, before: null, after: 'b\n' },
      { path: join(folder, '..a.yaml'), before: 'a\n', after: 'b\n' },
    ],
    true,
  );
  assert.ok(shown.includes(`--- /dev/null\n+++ ${outside}\n@@`), shown);
  assert.ok(shown.includes('--- a/..a.yaml\n+++ b/..a.yaml\n'), shown);
});

test('a file that somebody else changed meanwhile is refused, and no other is written', async (t) => {
  const folder = await tempFolder(t, { 'a.yaml': 'theirs\n', 'b.yaml': 'b\n' });
  const changes = [
    { path: join(folder, 'b.yaml'), before: 'b\n', after: 'B\n' },
    { path: join(folder, 'a.yaml'), before: 'mine\n', after: 'A\n' },
  ];
  await assert.rejects(write(folder, changes), { code: 'file.changed' });
  assert.deepEqual(await readFiles(folder), { 'a.yaml': 'theirs\n', 'b.yaml': 'b\n' });
});

test('a new file does not replace one that is there', async (t) => {
  const folder = await tempFolder(t, { 'a.yaml': 'theirs\n' });
  await assert.rejects(write(folder, [{ path: join(folder, 'a.yaml'), before: null, after: 'A\n' }]), {
    code: 'file.changed',
  });
  assert.deepEqual(await readFiles(folder), { 'a.yaml': 'theirs\n' });
});

test('when one file cannot be written, those before it come back and new folders go', async (t) => {
  const folder = await tempFolder(t, { 'a.yaml': 'a\n', 'gone.yaml': 'g\n' });
  await mkdir(join(folder, 'real'));
  await symlink('real', join(folder, 'link'));
  const before = await readdir(folder, { recursive: true });
  const changes = [
    { path: join(folder, 'a.yaml'), before: 'a\n', after: 'A\n' },
    { path: join(folder, 'gone.yaml'), before: 'g\n', after: null },
    { path: join(folder, 'new/b.yaml'), before: null, after: 'B\n' },
    { path: join(folder, 'real/same.yaml'), before: null, after: 'C\n' },
    { path: join(folder, 'link/same.yaml'), before: null, after: 'D\n' },
  ];
  await assert.rejects(
    write(folder, changes),
    (error) => error instanceof CommandError && error.code === 'file.not-written',
  );
  assert.deepEqual(await readFiles(folder), { 'a.yaml': 'a\n', 'gone.yaml': 'g\n' });
  assert.deepEqual((await readdir(folder, { recursive: true })).sort(), before.sort());
});

test('permissions are kept, and a symbolic link stays one', async (t) => {
  const folder = await tempFolder(t, { 'real.yaml': 'a\n' });
  await chmod(join(folder, 'real.yaml'), 0o640);
  await symlink('real.yaml', join(folder, 'link.yaml'));
  await write(folder, [{ path: join(folder, 'link.yaml'), before: 'a\n', after: 'b\n' }]);
  assert.equal((await lstat(join(folder, 'link.yaml'))).isSymbolicLink(), true);
  assert.equal(await readFile(join(folder, 'real.yaml'), 'utf8'), 'b\n');
  assert.equal((await stat(join(folder, 'real.yaml'))).mode & 0o777, 0o640);
});

test('a file that is not UTF-8 is refused rather than damaged', async (t) => {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'a.yaml'), Buffer.from([0x61, 0xff, 0x0a]));
  await assert.rejects(write(folder, [{ path: join(folder, 'a.yaml'), before: 'a', after: 'b' }]), {
    code: 'file.not-text',
  });
});

test('what stands in a file does not steer the terminal', async (t) => {
  const folder = await tempFolder(t);
  const changes = [
    { path: join(folder, 'a'), before: null, after: '\u001b[2Jx\u0007\n\u001b]0;title\u0007y\n' },
  ];
  const shown = await write(folder, changes, true);
  assert.doesNotMatch(shown, /(?!\n)\p{Cc}/u);
});
