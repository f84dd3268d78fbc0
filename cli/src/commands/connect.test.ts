import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { readFiles, runIn, tempFolder } from '../../test/test-io.ts';

const url = 'https://mcp.example.com/mcp/people';

test('the difference is shown first, and nothing is written before somebody says yes', async (t) => {
  const folder = await tempFolder(t, { '.vscode/mcp.json': '{\n  // mine\n  "servers": {}\n}\n' });
  const args = ['connect', 'vscode', '--gateway', url, '--scope', 'project'];
  const unasked = await runIn(folder, args);
  assert.equal(unasked.code, 1);
  assert.match(
    unasked.out,
    /\+\+\+ b\/\.vscode\/mcp\.json[\s\S]*\+ {6}"url": "https:\/\/mcp\.example\.com\/mcp\/people"/,
  );
  assert.match(unasked.err, /--yes says yes where nobody can be asked/);
  const dry = await runIn(folder, [...args, '--dry-run']);
  assert.equal(dry.code, 0);
  assert.deepEqual(await readFiles(folder), { '.vscode/mcp.json': '{\n  // mine\n  "servers": {}\n}\n' });

  const written = await runIn(folder, [...args, '--yes']);
  assert.equal(written.code, 0, written.err);
  assert.match(written.out, /VS Code knows people now\. Start it/);
  const text = await readFile(join(folder, '.vscode/mcp.json'), 'utf8');
  assert.match(text, /\/\/ mine\n {2}"servers": \{\n {4}"people": \{\n {6}"type": "http",/);
  assert.match((await runIn(folder, [...args, '--yes'])).out, /says so already/);
  const removed = await runIn(folder, [...args, '--remove', '--yes']);
  assert.match(removed.out, /^VS Code no longer knows people\.$/m);
  assert.match((await runIn(folder, [...args, '--remove'])).out, /^VS Code does not know people\.$/m);
  assert.equal((await readFiles(folder))['.vscode/mcp.json'], '{\n  // mine\n  "servers": {}\n}\n');
});

test('what is next names the gateway as the client lists it', async (t) => {
  const folder = await tempFolder(t);
  const { out } = await runIn(folder, ['connect', 'codex', '-g', url, '--name', 'tools', '--yes'], {
    env: { HOME: dirname(folder) },
  });
  assert.match(out, /^Codex knows tools now\. codex mcp login tools signs in\.$/m);
});

test('a key is written only when that is asked for, unseen, and into a file that only its owner reads', async (t) => {
  const folder = await tempFolder(t);
  const options = { env: { HOME: dirname(folder) }, stdin: 'sp_0123456789abcdef\n' };
  const args = ['connect', 'zed', '-g', url, '-u', 'ann@example.com', '--yes'];
  const byVariable = await runIn(folder, [...args, '--key-env', 'KEY'], options);
  assert.match(byVariable.err, /Zed cannot take a header from the environment/);

  const path = join(dirname(folder), '.config/zed/settings.json');
  const written = await runIn(folder, [...args, '--write-key'], options);
  assert.equal(written.code, 0, written.err);
  assert.doesNotMatch(written.out + written.err, /sp_0123/);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  const { context_servers } = JSON.parse(await readFile(path, 'utf8'));
  assert.deepEqual(context_servers.people, {
    url,
    headers: { Authorization: 'Bearer sp_0123456789abcdef', 'Arcade-User-ID': 'ann@example.com' },
  });

  await writeFile(path, '{}', { mode: 0o644 });
  await runIn(folder, [...args, '--write-key'], options);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test('what cannot be written is refused', async (t) => {
  const folder = await tempFolder(t, { '.mcp.json': '{ "mcpServers": ' });
  const run = async (...args: string[]) => (await runIn(folder, ['connect', ...args])).err;
  assert.match(await run('windsurf', '-g', url, '--scope', 'project'), /Windsurf has no file for a project/);
  assert.match(
    await run('claude-code', '-g', url, '--scope', 'project'),
    /\.mcp\.json:1:\d+: this is not valid JSON/,
  );
  assert.match(await run('cursor', '-g', 'https://mcp.example.com'), /is no address of a gateway/);
  assert.match(await run('cursor', '-g', url, '--key-env', 'a b'), /is no name of a variable/);
  assert.match(await run('cursor', '-g', 'people'), /there is no Sallyport to speak to yet/);
  assert.equal((await runIn(folder, ['connect', 'emacs', '-g', url])).code, 2);
});
