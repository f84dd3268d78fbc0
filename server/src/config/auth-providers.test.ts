import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { checkAuthProvider } from '#credentials';
import type { FurtherChecks } from './check.ts';
import { loadConfigFile } from './config-file.ts';
import { formatMistake } from './mistakes.ts';
import { redact } from './redact.ts';

const directory = mkdtempSync(join(tmpdir(), 'sallyport-config-'));
const path = join(directory, 'sallyport.yaml');
after(() => rmSync(directory, { recursive: true }));

const nothing = () => null;
const checks: FurtherChecks = {
  rule: nothing,
  gateway: nothing,
  userSource: nothing,
  authProvider: checkAuthProvider,
};

async function load(text: string, env: Record<string, string> = {}) {
  writeFileSync(path, text);
  return loadConfigFile(path, env, checks);
}

describe('auth providers of the file', () => {
  it('may have the client beside oauth2, and its secret by reference', async () => {
    const text = `auth_providers:
  - { id: github, type: oauth2, provider_id: github, enabled: false, client_id: c, client_secret: { fromEnv: SECRET } }
`;
    const loaded = await load(text, { SECRET: 'SEKRET' });
    assert.ok(loaded.ok, JSON.stringify(loaded));
    const [declared] = loaded.value.authProviders;
    assert.deepEqual(declared?.request, {
      id: 'github',
      type: 'oauth2',
      provider_id: 'github',
      status: 'inactive',
      oauth2: { client_id: 'c', client_secret: 'SEKRET' },
    });
    assert.doesNotMatch(JSON.stringify(redact(loaded.value)), /SEKRET/);
  });

  it('are told all that is wrong with them, by field and without secrets', async () => {
    const loaded = await load(`auth_providers:
  - { id: a, provider_id: github }
  - { id: b, provider_id: github, client_id: c, client_secret: SEKRET, oauth2: { client_secret: SEKRET } }
  - { id: c, client_id: c, oauth2: { token_request: { endpoint: "http://x.example", params: { a: "{{nope}}" } } } }
  - { id: d, client_id: c, oauth2: { authorize_request: { endpoint: "https://x.example" } } }
  - { id: d, type: api_key, client_id: c, scopes: [] }
`);
    assert.ok(!loaded.ok);
    const wrong = loaded.error.map((mistake) => formatMistake(mistake).slice(path.length + 1));
    assert.doesNotMatch(wrong.join(), /SEKRET/);
    const expected = [
      /^2:\d+ auth_providers\[0\]\.client_id: is missing/,
      /^3:\d+ auth_providers\[1\]\.client_secret: expected here or in oauth2, got both/,
      /^4:\d+ auth_providers\[2\]\.oauth2\.token_request\.endpoint: must be an https/,
      /^4:\d+ auth_providers\[2\]\.oauth2\.token_request\.params\.a: holds \{\{nope\}\}, which is not known/,
      /^5:\d+ auth_providers\[3\]\.oauth2\.token_request: is required with an endpoint/,
      /^6:\d+ auth_providers\[4\]\.id: is the same as auth_providers\[3\]\.id/,
      /^6:\d+ auth_providers\[4\]\.scopes: unknown key/,
    ];
    for (const words of expected)
      assert.ok(
        wrong.some((one) => words.test(one)),
        `${words} in ${wrong.join('\n')}`,
      );
  });

  it('are told once of a field that is not of their type', async () => {
    const loaded = await load('auth_providers:\n  - { id: a, type: api_key, client_id: c }\n');
    assert.ok(!loaded.ok);
    assert.deepEqual(
      loaded.error.map((mistake) => formatMistake(mistake).slice(path.length + 1)),
      ['2:40 auth_providers[0].client_id: belongs to type "oauth2", not "api_key"'],
    );
  });
});
