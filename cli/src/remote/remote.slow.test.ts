import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { startSallyport, type TestSallyport } from '../../test/sallyport.ts';
import { runIn, type TestIoOptions, tempFolder, testIo } from '../../test/test-io.ts';
import { readProfiles } from './profiles.ts';

let server: TestSallyport;
before(async () => {
  server = await startSallyport();
});
after(() => server.stop());

const env = () => ({ SALLYPORT_URL: server.url, SALLYPORT_API_KEY: server.key });
const withEnv = (more: Record<string, string> = {}): TestIoOptions => ({ env: { ...env(), ...more } });

test('a key that is piped in is tried, kept for its owner alone, and forgotten by logout', async (t) => {
  const folder = await tempFolder(t);
  const wrong = await runIn(folder, ['login', server.url, '--with-key'], { stdin: 'sp_wrong_wrong\n' });
  assert.equal(wrong.code, 1);
  assert.match(
    wrong.err,
    /^error: identity\.invalid: .*\n.*sallyport login \(SALLYPORT_API_KEY.*\n {2}see docs\/errors\/identity\.invalid\.md\n$/,
  );
  const right = await runIn(folder, ['login', server.url, '--with-key'], { stdin: `${server.key}\n` });
  assert.equal(right.code, 0, right.err);
  const kept = join(dirname(folder), 'config', 'profiles.json');
  assert.equal((await stat(kept)).mode & 0o777, 0o600);
  assert.equal((await stat(dirname(kept))).mode & 0o777, 0o700);
  const status = await runIn(folder, ['status']);
  assert.equal(status.code, 0, status.err);
  assert.match(status.out, /^Sallyport \S+ at http:\/\/127\.0\.0\.1:\d+: ok\n1 of 1 sources/);
  for (const { out, err } of [wrong, right, status]) assert.doesNotMatch(out + err, /sp_the_key|sp_wrong/);
  assert.equal((await runIn(folder, ['logout'])).code, 0);
  const gone = await runIn(folder, ['status', '--json']);
  assert.equal(gone.code, 1);
  assert.equal((gone.json() as { error: { code: string } }).error.code, 'remote.not_signed_in');
});

test('what there is, is listed and shown', async (t) => {
  const folder = await tempFolder(t);
  const run = (...args: string[]) => runIn(folder, args, withEnv());
  const servers = (await run('servers', 'list', '--json')).json() as {
    id: string;
    status: { state: string };
  }[];
  assert.deepEqual(
    servers.map(({ id, status }) => [id, status.state]),
    [['reference', 'healthy']],
  );
  const refreshed = await run('servers', 'refresh', 'reference');
  assert.equal(refreshed.code, 0, refreshed.err);
  assert.match(refreshed.out, /ok +tools_valid/);
  assert.match((await run('servers', 'show', 'reference')).out, /ArcadeEvalRef\.Add +yes +Add two numbers/);
  assert.match((await run('gateways', 'list')).out, /demo +active +arcade_header, arcade +open/);
  assert.match((await run('gateways', 'show', 'demo')).out, /tools: ArcadeEvalRef\.\*/);
  const searched = await run('tools', 'list', '--search', 'add numbers', '--user', 'ann', '--json');
  const [{ tool } = { tool: '' }] = searched.json() as { tool: string }[];
  assert.equal(tool, 'worker://ArcadeEvalRef.Add');
  assert.equal((await run('tools', 'call', tool, '-u', 'ann', '-i', '{"a":1,"b":2}')).out, '3\n');
});

test('a tool is called over the API, and through a gateway in each revision of the protocol', async (t) => {
  const folder = await tempFolder(t, { 'input.json': '{"a":1,"b":2}' });
  const call = (...args: string[]) => runIn(folder, ['tools', 'call', ...args], withEnv());
  assert.equal((await call('ArcadeEvalRef.Whoami', '-u', 'ann')).out, 'ann\n');
  assert.equal((await call('ArcadeEvalRef.Add', '-u', 'ann', '--input-file', 'input.json')).out, '3\n');
  for (const era of ['auto', '2025-11-25', '2026-07-28']) {
    const through = await call('ArcadeEvalRef.Whoami', '-g', 'demo', '-u', 'bob', '--era', era, '--json');
    assert.equal(through.code, 0, through.err);
    assert.deepEqual((through.json() as { structuredContent: unknown }).structuredContent, { result: 'bob' });
  }
  const piped = await runIn(
    folder,
    ['tools', 'call', 'ArcadeEvalRef.Add', '-g', 'demo', '-u', 'ann', '-i', '-'],
    {
      ...withEnv(),
      stdin: '{"a":20,"b":3}',
    },
  );
  assert.match(piped.out, /"result": 23/);
});

test('what goes wrong is told with its code, its page and what to do', async (t) => {
  const folder = await tempFolder(t);
  const fails = async (args: string[], more: Record<string, string> = {}) => {
    const { code, err, out } = await runIn(folder, args, withEnv(more));
    assert.equal(code, 1, out);
    assert.doesNotMatch(err, /at .*\.ts:\d+|sp_the_key/);
    return err;
  };
  const whoami = ['tools', 'call', 'ArcadeEvalRef.Whoami'];
  assert.match(await fails(whoami), /^error: identity\.user_missing: .*\n.*--user <id>\n.*docs\/errors/);
  assert.match(await fails([...whoami, '-g', 'demo']), /^error: identity\.user_missing: .*\n.*--user <id>\n/);
  assert.match(
    await fails([...whoami, '-g', 'nope', '-u', 'ann']),
    /there is no gateway nope\n {2}There are: demo/,
  );
  assert.match(
    await fails(['tools', 'call', 'no.such', '-u', 'ann']),
    /^error: catalog\.tool_unknown: .*\n {2}sallyport tools list has the names that there are\.\n {2}see docs/,
  );
  assert.match(
    await fails(['tools', 'call', 'ArcadeEvalRef.Add', '-u', 'ann']),
    /^error: catalog\.arguments_invalid: input\.a is missing\n {2}sallyport tools list --json has the input of each tool\.\n {2}see docs/,
  );
  assert.match(await fails([...whoami, '-u', 'ann', '-i', '[1]']), /--input must be a JSON object/);
  for (const verb of ['show', 'refresh']) {
    const err = await fails(['servers', verb, 'nope']);
    assert.match(err, /^error: there is no server nope\n {2}There are: reference\n$/);
  }
  const unnamed = await fails(['connect', 'cursor']);
  assert.match(unnamed, /^error: which gateway\? --gateway <slug> says it\n {2}There are: demo\n$/);
  const wrong = { SALLYPORT_API_KEY: 'sp_wrong_wrong' };
  for (const args of [['status'], [...whoami, '-g', 'demo', '-u', 'ann']]) {
    assert.match(await fails(args, wrong), /^error: identity\.invalid: /);
  }
});

test('a key that may only call is told which scope it lacks', async (t) => {
  const folder = await tempFolder(t);
  const { key } = (await server.ask('POST', '/v1/api_keys', { name: 'c', scopes: ['call'] })) as {
    key: string;
  };
  const only = withEnv({ SALLYPORT_API_KEY: key });
  const refused = await runIn(folder, ['servers', 'list'], only);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /^error: identity\.scope_missing: .*"read"/);
  const status = await runIn(folder, ['status'], only);
  assert.equal(status.code, 0, status.err);
  assert.match(status.out, /may not look at more/);
  const login = await runIn(folder, ['login', server.url, '--with-key'], { stdin: key });
  assert.equal(login.code, 0, login.err);
});

test('a server that is not there, or is none of ours, is told apart', async (t) => {
  const folder = await tempFolder(t);
  const gone = await listening(() => ({ status: 200, body: '<html>' }));
  const said = async (url: string) => (await runIn(folder, ['status'], withEnv({ SALLYPORT_URL: url }))).err;
  assert.match(await said(gone.url), /is not ready|no error of a Sallyport|otherwise than a Sallyport/);
  const login = await runIn(folder, ['login', gone.url, '--with-key'], { stdin: 'sp_12345678' });
  assert.match(login.err, /answers, and is no Sallyport/);
  await gone.close();
  assert.match(await said(gone.url), /cannot be reached: nothing listens there \(ECONNREFUSED\)/);
  assert.match(await said('http://192.0.2.1'), /anybody on the way can read/);
  assert.match(await said(`${server.url}/mcp/demo`), /is one of its addresses; the server is http/);
});

test('a key reaches no other server than the one it was given for', async (t) => {
  const folder = await tempFolder(t);
  await runIn(folder, ['login', server.url, '--with-key'], { stdin: server.key });
  const other = await listening(() => ({ status: 200, body: '{}' }));
  const elsewhere = await runIn(folder, ['servers', 'list'], { env: { SALLYPORT_URL: other.url } });
  assert.match(elsewhere.err, /you are not signed in at/);
  assert.deepEqual(other.seen, []);

  const sending = await listening(() => ({ status: 307, body: '', headers: { location: `${other.url}/x` } }));
  const moved = await runIn(folder, ['servers', 'list'], withEnv({ SALLYPORT_URL: sending.url }));
  assert.match(moved.err, /sends requests on to http.*does not go there unasked/);
  assert.equal(sending.seen.length, 1);
  assert.deepEqual(other.seen, []);
  const through = ['tools', 'list', '-g', 'demo', '-u', 'ann'];
  const mcp = await runIn(folder, through, withEnv({ SALLYPORT_URL: sending.url }));
  assert.match(mcp.err, /sends requests on elsewhere/);
  assert.deepEqual(other.seen, []);
  await Promise.all([other.close(), sending.close()]);
});

test('of several commands at once one writes after the other, and nothing is lost', async (t) => {
  const folder = await tempFolder(t);
  const names = Array.from({ length: 8 }, (_, at) => `p${at}`);
  const logins = names.map((name) =>
    runIn(folder, ['login', server.url, '--with-key', '--profile', name], {
      stdin: server.key,
      sleep: () => new Promise((resolve) => setImmediate(resolve)),
    }),
  );
  for (const { code, err } of await Promise.all(logins)) assert.equal(code, 0, err);
  assert.deepEqual(Object.keys(await readProfiles(testIo(folder))).sort(), names);
});

test('another project is another place, and what is none is told', async (t) => {
  const folder = await tempFolder(t);
  const list = (...args: string[]) => runIn(folder, ['gateways', 'list', ...args], withEnv());
  assert.match((await list('--project', 'default/default')).out, /^demo /m);
  assert.match(
    (await list('--project', 'default/other')).err,
    /^error: resource\.unknown: there is no such project/,
  );
  assert.match((await list('--project', 'other')).err, /it must be <organization>\/<project>/);
});

test('a lock that a dead process left behind holds nobody up', async (t) => {
  const folder = await tempFolder(t);
  const { pid } = spawnSync(process.execPath, ['--version']);
  await mkdir(join(dirname(folder), 'config'));
  await writeFile(join(dirname(folder), 'config', 'profiles.lock'), String(pid));
  const { code, err } = await runIn(folder, ['login', server.url, '--with-key'], { stdin: server.key });
  assert.equal(code, 0, err);
});

test('what a server says cannot steer the terminal', async (t) => {
  const folder = await tempFolder(t);
  const hostile = JSON.stringify({ name: 'a.b', message: 'over\u001b[2J\u001b]0;x\u0007\u009b31m' });
  const server = await listening(() => ({ status: 400, body: hostile }));
  const { err } = await runIn(folder, ['servers', 'list'], withEnv({ SALLYPORT_URL: server.url }));
  assert.match(err, /^error: a\.b: over/);
  assert.doesNotMatch(err, /(?!\n)\p{Cc}/u);
  await server.close();
});

test('an internal address is not registered, and it is told how it could be', async (t) => {
  const folder = await tempFolder(t);
  const args = ['register', '--id', 'inner', '--url', 'http://10.20.0.9:8080/mcp'];
  const { code, out } = await runIn(folder, args, withEnv());
  assert.equal(code, 1);
  assert.match(out, /workers:\n {4}- id: inner\n {6}mcp:\n {8}uri: http:\/\/10\.20\.0\.9:8080\/mcp\n/);
  assert.match(out, /SALLYPORT_EGRESS_ALLOW=http:\/\/10\.20\.0\.9:8080\n/);
  const list = (await runIn(folder, ['servers', 'list', '--json'], withEnv())).json() as unknown[];
  assert.equal(list.length, 1);
});

interface Listening {
  readonly url: string;
  readonly seen: string[];
  close(): Promise<void>;
}

/** A server that says one thing to whoever asks, and remembers who did. */
async function listening(
  answer: (request: IncomingMessage) => { status: number; body: string; headers?: Record<string, string> },
): Promise<Listening> {
  const seen: string[] = [];
  const http = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    const { status, body, headers } = answer(request);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        http.closeAllConnections();
        http.close(() => resolve());
      }),
  };
}
