import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type Browser, createBrowser } from '../../test/browser.ts';
import { startSallyport, type TestSallyport } from '../../test/sallyport.ts';
import { type Ran, runIn, type TestIo, type TestIoOptions, tempFolder, testIo } from '../../test/test-io.ts';
import { run } from '../run.ts';
import { changeProfiles, readProfiles } from './profiles.ts';

let server: TestSallyport;
let browser: Browser;
before(async () => {
  server = await startSallyport();
  browser = createBrowser();
  await browser.open(server.ownerLink);
  await browser.submit({ link: server.ownerLink });
  assert.match(await browser.submit({ email: 'ann@example.com' }), /signed in as ann@example\.com/);
});
after(() => server.stop());

/** Time that passes, but no longer than a test wants to wait. */
const clock: TestIoOptions = {
  now: Date.now,
  sleep: async (ms, signal) =>
    void (await wait(Math.min(ms, 1100), undefined, signal === undefined ? {} : { signal })),
};

/** Runs a command that shows a code, and says in the browser what a person would. */
async function signIn(
  folder: string,
  args: string[],
  answer: (link: string) => Promise<unknown>,
): Promise<Ran> {
  const io: TestIo = testIo(folder, clock);
  const done = run(args, io);
  let link: string | undefined;
  while (link === undefined) {
    await wait(20);
    link = /^Open (\S+)$/m.exec(io.err())?.[1];
    const ended = await Promise.race([done, wait(0, null)]);
    if (link === undefined && ended !== null) assert.fail(`it ended: ${io.err()}`);
  }
  await answer(link);
  const code = await done;
  return { code, out: io.out(), err: io.err(), json: () => JSON.parse(io.out()) as unknown };
}

async function allow(link: string): Promise<void> {
  let page = await browser.open(link);
  for (let steps = 0; steps < 5 && !page.includes('The device is connected'); steps++) {
    page = await browser.submit({ answer: 'allow' });
  }
  assert.match(page, /The device is connected/);
}

test('a person signs in by a code, works as themselves, and is out after logout', async (t) => {
  const folder = await tempFolder(t);
  const signed = await signIn(folder, ['login', server.url], allow);
  assert.equal(signed.code, 0, signed.err);
  assert.match(signed.err, /see that it shows the code [A-Z]{4}-[A-Z]{4}/);
  assert.match(signed.out, /^Signed in at http\S+ as ann@example\.com; kept in /);

  const whoami = await runIn(folder, ['tools', 'call', 'ArcadeEvalRef.Whoami'], clock);
  assert.equal(whoami.out, 'ann@example.com\n', whoami.err);
  assert.equal((await runIn(folder, ['status'], clock)).code, 0);
  const gateway = await runIn(folder, ['tools', 'list', '-g', 'demo'], clock);
  assert.match(gateway.err, /Sign in for it: sallyport login --gateway demo/);

  const { default: kept } = await readProfiles(testIo(folder));
  const token = kept?.sign_in?.tokens.api?.access_token ?? '';
  assert.ok(token.length > 100 && !(signed.out + signed.err).includes(token));
  const signedOut = await runIn(folder, ['logout'], clock);
  assert.equal(signedOut.code, 0, signedOut.err);
  const reused = await fetch(`${server.url}/v1/tools`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(reused.status, 401);
});

test('for a gateway a person signs in once more, and calls through it as themselves', async (t) => {
  const folder = await tempFolder(t);
  const signed = await signIn(folder, ['login', server.url, '--gateway', 'demo'], allow);
  assert.equal(signed.code, 0, signed.err);
  const called = await runIn(
    folder,
    ['tools', 'call', 'ArcadeEvalRef_Whoami', '-g', 'demo', '--json'],
    clock,
  );
  assert.equal(called.code, 0, called.err);
  assert.deepEqual((called.json() as { structuredContent: unknown }).structuredContent, {
    result: 'ann@example.com',
  });
});

test('who says no in the browser is not signed in', async (t) => {
  const folder = await tempFolder(t);
  const refused = await signIn(folder, ['login', server.url], async (link) => {
    await browser.open(link);
    await browser.submit({ abort: 'yes' });
  });
  assert.equal(refused.code, 1);
  assert.match(refused.err, /it was not allowed in the browser/);
  assert.deepEqual(await readProfiles(testIo(folder)), {});
});

test('commands at the same time renew a token once, as a refresh token is good for one use', async (t) => {
  const folder = await tempFolder(t);
  await signIn(folder, ['login', server.url], allow);
  const io = testIo(folder, clock);
  const before = await readProfiles(io);
  const profile = before.default;
  const api = profile?.sign_in?.tokens.api;
  assert.ok(profile?.sign_in !== undefined && api !== undefined);
  const old = { ...profile, sign_in: { ...profile.sign_in, tokens: { api: { ...api, expires_at_ms: 0 } } } };
  await changeProfiles(io, async () => ({ profiles: { default: old }, result: undefined }));

  const ran = await Promise.all(Array.from({ length: 6 }, () => runIn(folder, ['gateways', 'list'], clock)));
  for (const { code, err } of ran) assert.equal(code, 0, err);
  const renewed = (await readProfiles(io)).default?.sign_in?.tokens.api;
  assert.notEqual(renewed?.refresh_token, api.refresh_token);
  assert.ok((renewed?.expires_at_ms ?? 0) > Date.now());
  assert.equal((await runIn(folder, ['gateways', 'list'], clock)).code, 0);
});

test('a sign-in that was ended elsewhere is told as that', async (t) => {
  const folder = await tempFolder(t);
  await signIn(folder, ['login', server.url], allow);
  const { items } = (await server.ask('GET', '/v1/people')) as { items: { id: string }[] };
  await server.ask('DELETE', `/v1/people/${items[0]?.id}/sign_ins`);
  const refused = await runIn(folder, ['tools', 'list'], clock);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /Sign in again: sallyport login/);
});
