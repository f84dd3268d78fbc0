import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { it } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { readFiles, runIn, tempFolder } from '../../test/test-io.ts';

/** As a person has it: without what this repository brings along. */
const env = { ...process.env, SALLYPORT_SERVER_PORT: '0', PORT: '0', NODE_OPTIONS: '' };

function mustRun(cwd: string, command: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}\n${stderr}`);
}

/** Starts it in a group of its own, so that what it starts ends with it, and greets at the address that it says it listens on. */
async function greetOnceStarted(cwd: string, command: string, args: readonly string[], tool: string) {
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  try {
    await greetInBothEras(await addressOf(child.stdout), tool);
  } finally {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
    await ended;
  }
}

async function addressOf(output: Readable): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    if (line.startsWith('{"listening"')) return (JSON.parse(line) as { listening: string }).listening;
  }
  throw new Error('it ended before it listened');
}

async function greetInBothEras(url: string, tool: string): Promise<void> {
  for (const mode of ['legacy', { pin: '2026-07-28' }] as const) {
    const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode } });
    await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', url)));
    const { tools } = await client.listTools();
    assert.deepEqual(
      tools.map(({ name }) => name),
      [tool],
    );
    const { content } = await client.callTool({ name: tool, arguments: { name: 'Grace' } });
    assert.match(JSON.stringify(content), /Hello Grace/);
    await client.close();
  }
}

it('a new TypeScript server installs, passes its checks and its test, and runs with npm run dev', async (t) => {
  const cwd = await tempFolder(t);
  const { code, err } = await runIn(cwd, ['server', 'new', 'github-issues']);
  assert.equal(code, 0, err);
  const folder = join(cwd, 'github-issues');
  mustRun(folder, 'npm', ['install', '--no-audit', '--no-fund']);
  for (const script of ['types', 'test', 'build']) mustRun(folder, 'npm', ['run', script]);
  await greetOnceStarted(folder, 'npm', ['run', 'dev'], 'GithubIssues_Greet');
});

it('a new server whose workflow is there already is not begun', async (t) => {
  const there = { '.git/HEAD': '', '.github/workflows/notes-mcp.yaml': 'mine' };
  const cwd = await tempFolder(t, there);
  const { code, err } = await runIn(cwd, ['server', 'new', 'notes']);
  assert.equal(code, 1);
  assert.match(err, /notes-mcp\.yaml is there already/);
  assert.deepEqual(await readFiles(cwd), there);
  assert.ok(!existsSync(join(cwd, 'notes')));
});

it('a new prototype passes its test and runs on the plain Python of this machine', async (t) => {
  const cwd = await tempFolder(t);
  assert.equal((await runIn(cwd, ['server', 'new', 'notes', '--template', 'configmap'])).code, 0);
  const folder = join(cwd, 'notes');
  mustRun(folder, 'python3', ['-m', 'unittest']);
  await greetOnceStarted(folder, 'python3', ['server.py'], 'Notes_Greet');
});
