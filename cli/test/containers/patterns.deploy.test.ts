import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runIn, tempFolder, writeFiles } from '../test-io.ts';
import { ensureBaseImages } from './base-images.ts';
import { type Playing, play } from './play.ts';
import { ensurePodman, mustRun, tryRun } from './podman.ts';

const workspace = join(import.meta.dirname, '../../..');
const workerSecret = 'a worker secret of thirty-two bytes or more';

/** Asks the way of the readiness probe until it answers; a server that never does is told with its last words. */
async function ready(playing: Playing, path: string): Promise<void> {
  for (let attempt = 0; attempt < 150; attempt++) {
    const answered = await fetch(`${playing.url}${path}`).catch(() => null);
    if (answered?.ok === true) return;
    await sleep(200);
  }
  throw new Error(`not ready: ${playing.logs()}`);
}

/** Generates, runs and verifies the server of this folder, as its owner would. */
async function deployAndVerify(
  t: TestContext,
  root: string,
  server: { name: string; folder: string; health: string },
): Promise<Playing> {
  const generated = await runIn(root, ['deploy', 'generate', `${server.folder}/server.yaml`]);
  assert.equal(generated.code, 0, generated.err);
  const linted = await runIn(root, ['deploy', 'lint']);
  assert.equal(linted.code, 0, linted.out);
  const path = join(root, `kubernetes/applications/mcp-servers/${server.name}-mcp.yaml`);
  const secrets = { [`${server.name}-mcp-secrets`]: { 'worker-secret': workerSecret } };
  const playing = await play(await readFile(path, 'utf8'), secrets);
  t.after(playing.stop);
  await ready(playing, server.health);
  const verified = await runIn(
    root,
    ['deploy', 'verify', '--url', `${playing.url}/mcp`, `${server.folder}/server.yaml`],
    { now: Date.now },
  );
  assert.equal(verified.code, 0, `${verified.out}${verified.err}\n${playing.logs()}`);
  return playing;
}

function build(context: string, image: string, ...options: readonly string[]): void {
  mustRun('buildah', [
    'bud',
    '--pull-never',
    '--network=host',
    ...options,
    '-t',
    `localhost/${image}`,
    context,
  ]);
}

/** What the restricted Pod Security standard promises, asked of the kernel from inside. */
function assertRestricted(playing: Playing): void {
  const status = playing.exec('cat', '/proc/1/status');
  assert.match(status, /^Uid:\s+10001\s+10001/m);
  assert.match(status, /^CapEff:\s+0+$/m);
  assert.match(status, /^NoNewPrivs:\s+1$/m);
  assert.match(status, /^Seccomp:\s+2$/m);
  assert.match(playing.exec('sh', '-c', 'echo no > /app/no 2>&1 || echo refused'), /Read-only|refused/);
  assert.equal(playing.exec('sh', '-c', 'echo yes > /tmp/yes && cat /tmp/yes'), 'yes');
}

describe('what is generated runs in real containers, and lists and calls its tools', () => {
  before(() => {
    ensurePodman();
    ensureBaseImages();
  });

  it('code in a ConfigMap', async (t) => {
    const root = await tempFolder(t, { '.git/HEAD': '' });
    assert.equal((await runIn(root, ['server', 'new', 'notes', '--template', 'configmap'])).code, 0);
    const playing = await deployAndVerify(t, root, { name: 'notes', folder: 'notes', health: '/health' });
    assertRestricted(playing);
  });

  it('an image that somebody else maintains', async (t) => {
    const root = await tempFolder(t, { '.git/HEAD': '' });
    await runIn(root, ['server', 'new', 'docs', '--template', 'configmap']);
    await writeFiles(root, {
      'docs/Dockerfile': `FROM docker.io/library/python:3.11-slim
COPY server.py /app/server.py
CMD ["sh", "-c", "test $MCP_TRANSPORT = streamable-http && HOST=$MCP_HOST PORT=$MCP_PORT exec python /app/server.py"]
`,
      'docs/server.yaml': `name: docs
owner: platform
pattern: image
image: localhost/docs:1.0.0
verify: { tools: [Docs_Greet], call: { tool: Docs_Greet, arguments: { name: Grace } } }
`,
    });
    build(join(root, 'docs'), 'docs:1.0.0');
    const playing = await deployAndVerify(t, root, { name: 'docs', folder: 'docs', health: '/health' });
    assertRestricted(playing);
  });

  it('an image of our own, built from the Dockerfile of a new server', async (t) => {
    const root = await tempFolder(t, { '.git/HEAD': '' });
    assert.equal((await runIn(root, ['server', 'new', 'greeter'])).code, 0);
    const folder = join(root, 'greeter');
    const locked = spawnSync('npm', ['install', '--package-lock-only', '--no-audit', '--no-fund'], {
      cwd: folder,
    });
    assert.equal(locked.status, 0, locked.stderr.toString());
    build(folder, 'greeter:1.0.0');
    const spec = (await readFile(join(folder, 'server.yaml'), 'utf8')).replace(
      /^image: .*$/m,
      'image: localhost/greeter:1.0.0',
    );
    writeFileSync(join(folder, 'server.yaml'), spec);
    const playing = await deployAndVerify(t, root, {
      name: 'greeter',
      folder: 'greeter',
      health: '/worker/health',
    });
    assertRestricted(playing);
  });

  it("the reference server's image", async (t) => {
    const root = await tempFolder(t, {
      '.git/HEAD': '',
      'reference/server.yaml': `name: reference
owner: platform
pattern: build
image: localhost/reference-server:1.0.0
verify: { tools: [ArcadeEvalRef_Echo, ArcadeEvalRef_Add, ArcadeEvalRef_Whoami], call: { tool: ArcadeEvalRef_Add, arguments: { a: 2, b: 3 } } }
`,
    });
    build(workspace, 'reference-server:1.0.0', '-f', join(workspace, 'examples/reference-server/Dockerfile'));
    const playing = await deployAndVerify(t, root, {
      name: 'reference',
      folder: 'reference',
      health: '/worker/health',
    });
    assertRestricted(playing);
    const listed = await fetch(`${playing.url}/worker/tools`);
    assert.equal(listed.status, 401, 'the worker routes take signed tokens only');
  });

  it('a server that throws at its start says why in its log', async (t) => {
    const root = await tempFolder(t, { '.git/HEAD': '' });
    await runIn(root, ['server', 'new', 'broken', '--template', 'configmap']);
    writeFileSync(join(root, 'broken/server.py'), 'raise SystemExit("no key is set")\n');
    assert.equal((await runIn(root, ['deploy', 'generate', 'broken/server.yaml'])).code, 0);
    const path = join(root, 'kubernetes/applications/mcp-servers/broken-mcp.yaml');
    const playing = await play(await readFile(path, 'utf8'));
    t.after(playing.stop);
    tryRun('podman', ['wait', 'broken-mcp-pod-0-broken-mcp']);
    assert.match(playing.logs(), /no key is set/);
    const verified = await runIn(
      root,
      ['deploy', 'verify', '--url', `${playing.url}/mcp`, 'broken/server.yaml'],
      { now: Date.now },
    );
    assert.equal(verified.code, 1);
  });
});
