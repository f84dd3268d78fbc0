import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadConfigFile } from './config-file.ts';
import { formatMistake } from './mistakes.ts';
import { redact } from './redact.ts';
import { rootKeyBytes } from './root-keys.ts';

const directory = mkdtempSync(join(tmpdir(), 'sallyport-root-keys-'));
after(() => rmSync(directory, { recursive: true }));
const path = join(directory, 'sallyport.yaml');
const noFurther = () => null;
const checks = {
  rule: noFurther,
  gateway: noFurther,
  userSource: noFurther,
  authProvider: noFurther,
};

function load(text: string, env: Record<string, string> = {}) {
  writeFileSync(path, text);
  return loadConfigFile(path, env, checks);
}

async function mistakesOf(text: string, env: Record<string, string> = {}): Promise<string[]> {
  const loaded = await load(text, env);
  assert.ok(!loaded.ok, 'the file was taken');
  return loaded.error.map(formatMistake).map((mistake) => mistake.slice(mistake.indexOf('sallyport.yaml:')));
}

const bytes = Buffer.from(Array.from({ length: 32 }, (_, at) => (at * 37 + 250) % 256));

describe('the text of a root key', () => {
  it('is 32 bytes in base64, base64url or hexadecimal', () => {
    for (const encoding of ['base64', 'base64url', 'hex'] as const)
      assert.ok(rootKeyBytes(bytes.toString(encoding))?.equals(bytes), encoding);
    assert.ok(rootKeyBytes(bytes.toString('hex').toUpperCase())?.equals(bytes));
  });

  it('is nothing else', () => {
    const base64 = bytes.toString('base64');
    const others = ['', 'secret', base64.slice(1), `${base64}=`, `A${base64}`, base64.replace(/.=$/, 'B=')];
    for (const length of [16, 31, 33, 64])
      others.push(Buffer.alloc(length, 1).toString('base64'), Buffer.alloc(length, 1).toString('hex'));
    for (const text of others) assert.equal(rootKeyBytes(text), null, text);
  });
});

describe('security.root_keys', () => {
  it('takes keys by reference, and key services', async () => {
    writeFileSync(join(directory, 'old.key'), `${bytes.toString('hex')}\n`);
    const loaded = await load(
      `security:
  root_keys:
    - { id: main, default: true, value: { fromEnv: ROOT } }
    - { id: old, value: { fromFile: old.key } }
    - { id: aws, aws_kms: { key_id: alias/sallyport, secret_access_key: { fromEnv: AWS } } }
    - { id: gcp, gcp_kms: { key: projects/p/locations/l/keyRings/r/cryptoKeys/k } }
    - { id: azure, azure_key_vault: { key: "https://v.vault.azure.net/keys/k", client_secret: { value: PLAIN } } }
    - { id: hv, vault_transit: { key: k, kubernetes: { role: r }, token: { value: PLAIN } } }
`,
      { ROOT: bytes.toString('base64'), AWS: 'SEKRET' },
    );
    assert.deepEqual(loaded.ok ? [] : loaded.error.map(formatMistake), []);
    assert.ok(loaded.ok);
    const [main, old] = loaded.value.rootKeys;
    assert.ok(main?.value?.equals(bytes) && old?.value?.equals(bytes));
    assert.deepEqual(
      loaded.value.rootKeys.map(({ id, default: isDefault }) => [id, isDefault === true]),
      [
        ['main', true],
        ['old', false],
        ['aws', false],
        ['gcp', false],
        ['azure', false],
        ['hv', false],
      ],
    );
    assert.equal(loaded.value.rootKeys[5]?.vault_transit?.mount, 'transit');
    const shown = JSON.stringify(redact(loaded.value));
    for (const secret of [
      'SEKRET',
      'PLAIN',
      String(bytes[0]),
      bytes.toString('base64'),
      bytes.toString('hex'),
    ])
      assert.ok(!shown.includes(`"${secret}`) && !shown.includes(`[${secret},`), secret);
  });

  it('tells mistakes with their place, and repeats no key', async () => {
    const key = `value: { value: "${bytes.toString('hex')}" }`;
    const cases: [string, RegExp][] = [
      [
        '- { id: a, value: { value: SEKRET } }',
        /^sallyport\.yaml:3:\d+ .*root_keys\[0\]\.value: expected 32 random bytes/,
      ],
      ['- { id: a, value: { fromEnv: NONE } }', /environment variable NONE to be set/],
      [
        `- { id: environment, ${key} }`,
        /root_keys\[0\]\.id: expected another than environment, file, database/,
      ],
      ['- { id: a }', /root_keys\[0\]: expected exactly one of value, aws_kms/],
      [`- { id: a, ${key}, aws_kms: { key_id: x } }`, /exactly one of/],
      [
        `- { id: a, default: true, ${key} }\n  - { id: b, default: true, ${key} }`,
        /more than one has "default: true"/,
      ],
      [`- { id: a, ${key} }\n  - { id: a, ${key} }`, /two have the same id/],
      ['- { id: a, gcp_kms: { key: k } }', /gcp_kms\.key: expected projects/],
      ['- { id: a, azure_key_vault: { key: "https://v.vault.azure.net/keys/k/1" } }', /key: expected https/],
      ['- { id: a, vault_transit: { key: a/b } }', /vault_transit\.key: expected the name/],
      ['- { id: a, vault: {} }', /unknown key/],
    ];
    for (const [entry, words] of cases) {
      const mistakes = (await mistakesOf(`security:\n  root_keys:\n  ${entry}\n`)).join('\n');
      assert.match(mistakes, words);
      assert.ok(!mistakes.includes('SEKRET') && !mistakes.includes(bytes.toString('hex')), mistakes);
    }
  });
});
