import assert from 'node:assert/strict';
import { constants, createDecipheriv, privateDecrypt } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAllDocuments } from 'yaml';
import { createCertificate } from '../../../test/certificate.ts';
import { readFiles, runIn, tempFolder } from '../../../test/test-io.ts';
import { sealingKey, sealValue } from '../../secrets/seal.ts';

const { key: privateKey, cert } = createCertificate();
const folder = 'kubernetes/applications/mcp-servers';
const manifest = `${folder}/proxmox-mcp.yaml`;
const spec = `name: proxmox
owner: platform
pattern: image
image: ghcr.io/acme/proxmox-mcp:1.4.2
secrets:
  - { from: sealed, env: { PROXMOX_TOKEN: token, PROXMOX_USER: user } }
`;
const company = 'secrets: { sealed: { certificate: sealing.pem } }\n';
const files = { 'conventions.yaml': company, 'sealing.pem': cert, 'proxmox/server.yaml': spec };

/** As the controller opens it, written from the description of the format rather than from how it is sealed here. */
function unseal(sealed: string, label: string, key: string = privateKey): string {
  const bytes = Buffer.from(sealed, 'base64');
  const length = bytes.readUInt16BE(0);
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const encryptedKey = bytes.subarray(2, 2 + length);
  const sessionKey = privateDecrypt(
    { key, padding, oaepHash: 'sha256', oaepLabel: Buffer.from(label) },
    encryptedKey,
  );
  assert.equal(sessionKey.length, 32);
  const rest = bytes.subarray(2 + length);
  const decipher = createDecipheriv('aes-256-gcm', sessionKey, Buffer.alloc(12));
  decipher.setAuthTag(rest.subarray(-16));
  return Buffer.concat([decipher.update(rest.subarray(0, -16)), decipher.final()]).toString('utf8');
}

interface Sealed {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly annotations?: object };
  readonly spec: { readonly encryptedData: Record<string, string>; readonly template: object };
}

async function sealedIn(root: string): Promise<Sealed> {
  const documents = parseAllDocuments(await readFile(join(root, manifest), 'utf8'));
  const found = documents
    .map((one) => (one as { toJS(): Sealed }).toJS())
    .find(({ kind }) => kind === 'SealedSecret');
  assert.ok(found);
  return found;
}

test('what is sealed opens with the private key, bound to namespace and name', async (t) => {
  const root = await tempFolder(t, {
    ...files,
    '.env': 'PROXMOX_TOKEN="s3cr=t #1"\nexport PROXMOX_USER=root@pam\n',
  });
  const ran = await runIn(root, ['deploy', 'seal', 'proxmox', '--from-env-file', '.env']);
  assert.equal(ran.code, 0, ran.err);
  const { metadata, spec: sealed } = await sealedIn(root);
  assert.deepEqual(metadata, { name: 'proxmox-mcp-secrets', namespace: 'ai-platform' });
  assert.deepEqual(sealed.template, { metadata, type: 'Opaque' });
  assert.deepEqual(Object.keys(sealed.encryptedData), ['token', 'user']);
  const label = 'ai-platform/proxmox-mcp-secrets';
  assert.equal(unseal(sealed.encryptedData.token ?? '', label), 's3cr=t #1');
  assert.equal(unseal(sealed.encryptedData.user ?? '', label), 'root@pam');
  assert.throws(() => unseal(sealed.encryptedData.token ?? '', 'ai-platform/another-secret'));
  assert.doesNotMatch(ran.out + ran.err, /s3cr|root@pam/);
});

test('sealing one key again keeps the others, and everything around it, byte for byte', async (t) => {
  const root = await tempFolder(t, { ...files, '.env': 'PROXMOX_TOKEN=a\nPROXMOX_USER=b\n' });
  await runIn(root, ['deploy', 'seal', 'proxmox', '--from-env-file', '.env']);
  await runIn(root, ['deploy', 'generate', 'proxmox/server.yaml']);
  const path = join(root, manifest);
  const before = (await readFile(path, 'utf8')).replace('kind: SealedSecret', 'kind: SealedSecret   # ours');
  await writeFile(path, before);
  const old = await sealedIn(root);
  const ran = await runIn(root, ['deploy', 'seal', 'proxmox', '--from-stdin', 'token'], { stdin: 'näw\n' });
  assert.equal(ran.code, 0, ran.err);
  const { spec: sealed } = await sealedIn(root);
  assert.equal(unseal(sealed.encryptedData.token ?? '', 'ai-platform/proxmox-mcp-secrets'), 'näw');
  const expected = before.replace(old.spec.encryptedData.token ?? '', sealed.encryptedData.token ?? '');
  assert.equal(await readFile(path, 'utf8'), expected);
  const after = await runIn(root, ['deploy', 'generate', 'proxmox/server.yaml', '--check']);
  assert.equal(after.code, 0, after.out);
});

test('a Secret that is sealed into a generated file gets its place there by the next generation', async (t) => {
  const root = await tempFolder(t, { ...files, '.env': 'PROXMOX_TOKEN=a\n' });
  await runIn(root, ['deploy', 'generate', 'proxmox']);
  const seal = () => runIn(root, ['deploy', 'seal', 'proxmox', '--from-env-file', '.env']);
  assert.match((await seal()).out, /^Next: sallyport deploy generate proxmox$/m);
  await runIn(root, ['deploy', 'generate', 'proxmox']);
  assert.doesNotMatch((await seal()).out, /Next:/);
});

test('namespace-wide and cluster-wide say so, and are labelled so', async (t) => {
  for (const [scope, label] of [
    ['namespace-wide', 'ai-platform'],
    ['cluster-wide', ''],
  ] as const) {
    const root = await tempFolder(t, files);
    const args = ['deploy', 'seal', 'proxmox', '--from-stdin', 'PROXMOX_TOKEN', '--scope', scope];
    assert.equal((await runIn(root, args, { stdin: 'x' })).code, 0);
    const { metadata, spec: sealed } = await sealedIn(root);
    const annotations = { [`sealedsecrets.bitnami.com/${scope}`]: 'true' };
    assert.deepEqual(metadata.annotations, annotations);
    assert.deepEqual(sealed.template, { metadata: { ...metadata, annotations }, type: 'Opaque' });
    assert.equal(unseal(sealed.encryptedData.token ?? '', label), 'x');
    const other = await runIn(root, [...args.slice(0, -2), '--scope', 'strict'], { stdin: 'x' });
    assert.match(other.err, new RegExp(`is sealed ${scope}, not strict`));
  }
});

test('any text survives sealing, and no two sealings are alike', () => {
  const key = sealingKey(cert, 'sealing.pem', Date.UTC(2026, 0, 1));
  const target = { scope: 'strict', namespace: 'n', name: 's' } as const;
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (value) => {
      fc.pre(value.isWellFormed());
      const sealed = sealValue(key, target, value);
      assert.equal(unseal(sealed, 'n/s'), value);
      assert.notEqual(sealValue(key, target, value), sealed);
    }),
    { numRuns: 50 },
  );
});

test('a certificate that the controller does not use any more is refused with its date', async (t) => {
  const root = await tempFolder(t, {
    ...files,
    'old.pem': createCertificate({ to: '20260101000000Z' }).cert,
    'new.pem': createCertificate({ from: '20270203000000Z' }).cert,
    'ec.pem': createCertificate({ type: 'ec' }).cert,
    'short.pem': createCertificate({ bits: 1024 }).cert,
    'no.pem': 'nothing',
  });
  const before = await readFiles(root);
  for (const [name, message] of [
    ['old.pem', /old\.pem is expired since 2026-01-01/],
    ['new.pem', /new\.pem is valid from 2027-02-03 only/],
    ['ec.pem', /ec\.pem is ec; sealing needs RSA/],
    ['short.pem', /short\.pem is RSA of 1024 bits/],
    ['no.pem', /no\.pem is no certificate in PEM form/],
    ['missing.pem', /There is no missing\.pem/],
  ] as const) {
    const args = ['deploy', 'seal', 'proxmox', '--from-stdin', 'token', '--certificate', name];
    const ran = await runIn(root, args, { stdin: 'hidden' });
    assert.equal(ran.code, 1);
    assert.match(ran.err, message);
    assert.doesNotMatch(ran.err + ran.out, /hidden/);
  }
  assert.deepEqual(await readFiles(root), before);
});

test('nothing to seal, an unknown server and a key that is none are told, without any value', async (t) => {
  const root = await tempFolder(t, {
    ...files,
    'empty.env': '# nothing\n',
    'bad.env': 'A B C=hidden\n',
    'half.env': 'token=\n',
  });
  const seal = (...args: string[]) => runIn(root, ['deploy', 'seal', ...args], { stdin: 'hidden' });
  assert.match((await seal('proxmox')).err, /Nothing to seal was given/);
  assert.match(
    (await seal('proxmox', '--from-env-file', 'empty.env')).err,
    /has no line of the form NAME=value/,
  );
  assert.match((await seal('proxmox', '--from-env-file', 'half.env')).err, /The value of token is empty/);
  assert.match((await seal('proxmox', '--from-stdin', 'a b')).err, /a b is no key of a Secret/);
  assert.match((await seal('unknown', '--from-stdin', 'a')).err, /neither a server\.yaml of unknown nor/);
  assert.match(
    (await seal('proxmox', '--from-stdin', 'a', '--secret', 'other')).err,
    /--secret names one: proxmox-mcp-secrets/,
  );
  assert.match((await seal('../x', '--from-stdin', 'a')).err, /is no name of a server/);
  for (const file of ['empty.env', 'bad.env', 'half.env']) {
    const ran = await seal('proxmox', '--from-env-file', file);
    assert.doesNotMatch(ran.err + ran.out, /hidden/);
  }
  assert.equal(Object.hasOwn(await readFiles(root), manifest), false);
});
