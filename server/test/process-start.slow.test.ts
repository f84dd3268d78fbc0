import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { temporaryDirectory } from './database.ts';
import { failedStart, startProcess, type TestProcess } from './start-process.ts';

describe('the process', () => {
  let dir: string;
  let server: TestProcess | null = null;
  beforeEach(() => {
    dir = temporaryDirectory();
  });
  afterEach(() => {
    if (server?.child.exitCode === null) server.child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });

  test('all mistakes of the environment are told together, and so are those of the file, with their places', async () => {
    const environment = await failedStart({ SALLYPORT_PORT: 'high', SALLYPORT_LOG_LEVEL: 'loud' }, dir);
    assert.equal(environment.code, 1);
    assert.match(environment.stderr, /SALLYPORT_PORT: expected[\s\S]*SALLYPORT_LOG_LEVEL: expected/);
    writeFileSync(
      join(dir, 'sallyport.yaml'),
      'workers:\n  - id: a\n    http: { uri: 7 }\ngateways:\n  - { nam: x }\n',
    );
    const file = await failedStart({}, dir);
    assert.equal(file.code, 1);
    assert.match(file.stderr, /sallyport\.yaml:3:\d+ workers\[0\]\.http\.uri: /);
    assert.match(file.stderr, /sallyport\.yaml:5:\d+ gateways\[0\]/);
  });

  test('nothing is at unknown addresses, and the process says that it is up', async () => {
    server = await startProcess({}, dir);
    const { url } = server;
    const at = async (path: string, init?: RequestInit) => {
      const answer = await fetch(url + path, init);
      return [answer.status, ((await answer.json()) as { name?: string }).name];
    };
    assert.deepEqual(await at('/healthz'), [200, undefined]);
    assert.deepEqual(await at('/nowhere'), [404, 'resource.unknown']);
    assert.deepEqual(await at('/mcp'), [404, 'resource.unknown']);
    assert.deepEqual(await at('/mcp/a/b'), [404, 'resource.unknown']);
    assert.deepEqual(await at('/healthz', { method: 'POST' }), [404, 'resource.unknown']);
    assert.equal(await server.stop('SIGTERM'), 0);
  });

  test('what one start compiled the next one reads, and so do its lanes', async () => {
    let said = '';
    for (const _ of ['first', 'second']) {
      server = await startProcess({ SALLYPORT_PROCESSES: '2', NODE_DEBUG_NATIVE: 'COMPILE_CACHE' }, dir);
      assert.equal(await server.stop('SIGTERM'), 0);
      said = server.stderr();
    }
    for (const file of ['app', 'lane'])
      assert.match(
        said,
        new RegExp(`code cache for ESM file:\\S*/server/src/compose/${file}\\.ts was accepted`),
      );
  });

  test('it and its lanes have what keeps memory small, and where somebody gave that themselves, have that', {
    skip: process.platform !== 'linux',
  }, async () => {
    const ours = ['--max-semi-space-size=16', '--heap-growing-percent=100'];
    for (const [given, flags, tunables] of [
      [{}, ours, 'GLIBC_TUNABLES=glibc.malloc.arena_max=2'],
      [
        { NODE_OPTIONS: '--max_semi_space_size=32', GLIBC_TUNABLES: 'glibc.malloc.arena_max=3' },
        ['--heap-growing-percent=100'],
        'GLIBC_TUNABLES=glibc.malloc.arena_max=3',
      ],
    ] as const) {
      server = await startProcess({ SALLYPORT_PROCESSES: '2', ...given }, dir);
      const { pid } = server.child;
      const wordsOf = (path: string) => readFileSync(`/proc/${path}`, 'utf8').split(/[\0 ]/);
      const lanes = wordsOf(`${pid}/task/${pid}/children`).filter((one) => one !== '');
      assert.equal(lanes.length, 1, 'the lane, and nobody who only started them');
      for (const one of [pid, ...lanes]) {
        const options = wordsOf(`${one}/cmdline`).filter((word) => word.startsWith('--'));
        assert.deepEqual(options, flags);
        assert.ok(wordsOf(`${one}/environ`).some((word) => word.startsWith(tunables)));
      }
      assert.equal(await server.stop('SIGTERM'), 0);
    }
  });

  test('it starts once more and no oftener, whoever takes what it set out of its environment', async () => {
    const taker = 'data:text/javascript,delete%20process.env.GLIBC_TUNABLES';
    server = await startProcess({ SALLYPORT_PROCESSES: '1', NODE_OPTIONS: `--import ${taker}` }, dir);
    assert.equal(await server.stop('SIGTERM'), 0);
  });

  test('where a variable of its environment is empty, it compiles into no folder of whoever starts it', async () => {
    server = await startProcess({ SALLYPORT_PROCESSES: '1', NODE_COMPILE_CACHE: '' }, dir);
    assert.equal(await server.stop('SIGTERM'), 0);
    assert.deepEqual(readdirSync(dir), ['.sallyport']);
  });

  test('one that serves no gateways has no lanes, and says on every connection that there are none', async () => {
    server = await startProcess({ SALLYPORT_ROLES: 'admin', SALLYPORT_PROCESSES: '3' }, dir);
    const { url } = server;
    const post = () => fetch(`${url}/mcp/main`, { method: 'POST', body: '{}' });
    const answers = await Promise.all([post(), post(), post(), post()]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [404, 404, 404, 404],
    );
    assert.equal(await server.stop('SIGTERM'), 0);
    assert.doesNotMatch(server.stdout(), /a lane serves/);
  });
});
