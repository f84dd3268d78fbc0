import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runIn, type TestIoOptions, tempFolder, testIo, writeFiles } from '../../test/test-io.ts';
import { CommandError } from '../command-error.ts';
import { openRemoteOfRepository } from './remote.ts';

const url = 'https://tools.example.com';
const key = 'sp_of_the_environment';

/** What a gateway at the address of the repository would be sent; what is said where that is refused. */
async function authorization(
  t: TestContext,
  env: NonNullable<TestIoOptions['env']>,
  { at = url, profile }: { readonly at?: string; readonly profile?: object } = {},
): Promise<string> {
  const folder = await tempFolder(t);
  const profiles = JSON.stringify({ profiles: { default: profile } });
  if (profile !== undefined) await writeFiles(dirname(folder), { 'config/profiles.json': profiles });
  const fetch = () => assert.fail('nothing is sent yet');
  try {
    const remote = await openRemoteOfRepository(testIo(folder, { env, fetch }), at);
    return await remote.gatewayAuthorization('people');
  } catch (error) {
    assert.ok(error instanceof CommandError, String(error));
    return [error.code, error.message, ...error.details].join('\n');
  }
}

test('the key of the environment is not sent to an address that only the repository names', async (t) => {
  const told = await authorization(t, { SALLYPORT_API_KEY: key });
  assert.match(told, /^remote\.key_not_meant\n.*https:\/\/tools\.example\.com/);
  assert.match(told, /SALLYPORT_URL=https:\/\/tools\.example\.com.*sallyport login/);
  assert.ok(!told.includes(key));
  for (const other of [
    'https://other.example',
    'https://tools.example.com:8443',
    'http://tools.example.com',
  ]) {
    const elsewhere = await authorization(t, { SALLYPORT_API_KEY: key }, { profile: { url: other } });
    assert.match(elsewhere, /^remote\.key_not_meant/, other);
    const named = await authorization(t, { SALLYPORT_API_KEY: key, SALLYPORT_URL: other });
    assert.match(named, /^remote\.another_server/, other);
  }
});

test('it is sent where whoever runs the command names the same server, or signed in there', async (t) => {
  const named = { SALLYPORT_API_KEY: key, SALLYPORT_URL: `${url}/` };
  assert.equal(await authorization(t, named), `Bearer ${key}`);
  const profile = { url, key: 'sp_that_is_kept' };
  assert.equal(await authorization(t, { SALLYPORT_API_KEY: key }, { profile }), `Bearer ${key}`);
  assert.equal(await authorization(t, {}, { profile }), 'Bearer sp_that_is_kept');
});

test('what is kept goes nowhere else, and plain http only where that was said at the sign-in', async (t) => {
  const profile = { url, key: 'sp_that_is_kept' };
  assert.match(await authorization(t, {}, { profile, at: 'https://evil.example' }), /^remote\.not_signed_in/);
  const at = 'http://sallyport.svc:8080';
  const plain = { url: at, key: 'sp_that_is_kept' };
  assert.match(await authorization(t, {}, { profile: plain, at }), /^remote\.insecure_http/);
  const allowed = { ...plain, insecure_http: true };
  assert.equal(await authorization(t, {}, { profile: allowed, at }), 'Bearer sp_that_is_kept');
  assert.match(await authorization(t, {}, { profile: allowed, at: 'no address' }), /^remote\.url_invalid/);
});

test('an address with a password, or a token, is refused without saying it', async (t) => {
  const folder = await tempFolder(t);
  for (const given of [
    'http://ann:the-secret@tools.example.com',
    'https://ann:the-secret@',
    'ann:the-secret@tools.example.com',
    'https://tools.example.com?token=the-secret',
    'https://tools.example.com/v1#the-secret',
  ]) {
    for (const json of [[], ['--json']]) {
      for (const [words, env] of [
        [['login', given], {}],
        [['status'], { SALLYPORT_URL: given, SALLYPORT_API_KEY: key }],
        [['connect', 'codex', '--gateway', given.replace(/^(?!http)/, 'https://no host ')], {}],
      ] as const) {
        const { code, out, err } = await runIn(folder, [...json, ...words], { env });
        assert.equal(code, 1);
        assert.match(out + err, /tools\.example\.com|\*\*\*@/);
        assert.ok(!(out + err).includes('the-secret'), out + err);
      }
    }
  }
});

test('what a tool says when it fails keeps its lines, and none of them is an error of ours', async (t) => {
  const output = { error: { message: 'Traceback:\nerror: fake' } };
  const answer = { success: false, duration: 1, execution_id: 'e', output };
  const { err } = await runIn(await tempFolder(t), ['tools', 'call', 'a.b'], {
    env: { SALLYPORT_URL: url, SALLYPORT_API_KEY: key },
    fetch: async () => Response.json(answer),
  });
  assert.equal(err, 'error: the tool failed: Traceback:\n  error: fake\n');
});
