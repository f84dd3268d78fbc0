import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runIn, tempFolder, testIo } from '../test/test-io.ts';
import { run } from './run.ts';

for (const [args, code, message] of [
  [['--json', 'nope'], 'usage', /unknown command 'nope'/],
  [['deploy', 'lint', '--nope', '--json'], 'usage', /unknown option '--nope'/],
  [['--json', 'deploy', 'verify', '--url'], 'usage', /argument missing/],
  [
    ['deploy', 'ports', 'take', 'a', '--port', 'eighty', '--json'],
    'usage',
    /must be a whole number from 1 to 65535/,
  ],
  [['tools', 'call', 'a.b', '--timeout', '0', '--json'], 'usage', /must be a whole number from 1 to 86400/],
  [['--json'], 'usage', /no command/],
  [['--json', 'deploy'], 'usage', /no command/],
] as const) {
  test(`sallyport ${args.join(' ')} says what is wrong as JSON, and ends with 2`, async (t) => {
    const io = testIo(await tempFolder(t, { '.git/x': '' }));
    assert.equal(await run(args, io), 2);
    const { error } = JSON.parse(io.out());
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.deepEqual(error.details, []);
  });
}

test('the help of every command says what all of them take', async () => {
  for (const words of [['status'], ['deploy', 'ports', 'take']]) {
    assert.match((await runIn('/', [...words, '--help'])).out, /Global Options:[\s\S]*--json/);
  }
});

test('a fault of ours is told as JSON, too, and where it happened beside it', async (t) => {
  const env = {
    get SALLYPORT_URL(): string {
      throw new TypeError('a fault');
    },
  };
  const io = testIo(await tempFolder(t, { '.git/x': '' }), { env });
  assert.equal(await run(['--json', 'status'], io), 1);
  assert.deepEqual(JSON.parse(io.out()), { error: { code: 'internal', message: 'a fault', details: [] } });
  assert.match(io.err(), /TypeError: a fault\n +at /);
});

test('whoever reads only the beginning of an answer ends it without a fault', async (t) => {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, 'deploy', 'lint', '--rules'], {
    cwd: await tempFolder(t, {}),
  });
  child.stdout.destroy();
  assert.equal(await text(child.stderr), '');
});
