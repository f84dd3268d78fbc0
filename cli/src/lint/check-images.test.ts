import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import {
  digestOf,
  pushImage,
  type RegistryOptions,
  signatureTag,
  signByBundle,
  signBySimpleSigning,
  startRegistry,
  type TestRegistry,
} from '../../test/registry.ts';
import { type Ran, runIn, tempFolder } from '../../test/test-io.ts';

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ours = newKey();
const theirs = newKey();
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();
const spdx = 'https://spdx.dev/Document';

interface Told {
  readonly rule: string;
  readonly level: string;
  readonly message: string;
}

/** Lints one Deployment with this image, and these conventions. */
async function lint(
  t: TestContext,
  image: string,
  { cosignKey = pem(ours.publicKey), files = {}, args = ['--resolve-images'], signal, env }: LintOptions = {},
): Promise<Ran & { readonly told: readonly Told[] }> {
  const root = await tempFolder(t, {
    'conventions.yaml': `folder: apps\nimages: { cosignKey: ${JSON.stringify(cosignKey)} }\n`,
    'apps/x-mcp.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: { name: x-mcp }
spec: { template: { spec: { containers: [{ name: x, image: "${image}" }] } } }
`,
    ...files,
  });
  const ran = await runIn(root, ['deploy', 'lint', '--json', ...args], {
    ...(signal && { signal }),
    ...(env && { env }),
  });
  const { findings = [] } = (ran.out === '' ? {} : ran.json()) as { findings?: Told[] };
  return { ...ran, told: findings.filter(({ rule }) => ['unsigned', 'no-sbom'].includes(rule)) };
}

interface LintOptions {
  readonly cosignKey?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly signal?: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
}

/** What is said of an image with an SBOM that was signed so, without its name. */
async function said(
  t: TestContext,
  sign: (registry: TestRegistry, digest: string) => void,
  options: RegistryOptions & LintOptions = {},
): Promise<readonly string[]> {
  const registry = await startRegistry(t, options);
  const digest = pushImage(registry, spdx);
  sign(registry, digest);
  const image = `${registry.repository}:1@${digest}`;
  const { told } = await lint(t, image, options);
  for (const { level } of told) assert.equal(level, 'warning');
  return told
    .map(({ rule, message }) => `${rule}: ${message.replace(image, 'x').replace(registry.host, 'host')}`)
    .sort()
    .reverse();
}

const refused = 'unsigned: x is not signed with images.cosignKey: what is there as its signature';
const unsigned = ['unsigned: x has no signature: cosign sign --key … makes one.'];

for (const token of [false, true]) {
  test(`a signature of cosign is verified${token ? ', with the token that the registry gives to anybody' : ''}`, async (t) => {
    const simple = (registry: TestRegistry, digest: string) =>
      signBySimpleSigning(registry, digest, [theirs.privateKey, ours.privateKey]);
    assert.deepEqual(await said(t, simple, { token }), []);
    const bundle = (registry: TestRegistry, digest: string) =>
      signByBundle(registry, digest, ours.privateKey);
    for (const referrers of [true, false]) assert.deepEqual(await said(t, bundle, { token, referrers }), []);
    const last = (registry: TestRegistry, digest: string) => {
      for (const { privateKey } of [theirs, newKey(), ours]) signByBundle(registry, digest, privateKey);
    };
    assert.deepEqual(await said(t, last, { token, paged: true }), [], 'on the last of three pages');
    const unnamed = (registry: TestRegistry, digest: string) =>
      signByBundle(registry, digest, ours.privateKey, { silent: true });
    assert.deepEqual(await said(t, unnamed, { token }), []);
    const referrer = (registry: TestRegistry, digest: string) => {
      signBySimpleSigning(registry, digest, [ours.privateKey], { asReferrer: true });
      assert.ok(!registry.has(signatureTag(digest)));
    };
    assert.deepEqual(await said(t, referrer, { token }), []);
  });
}

test('a registry with a password is asked with the one that docker login keeps for it, and for no other', async (t) => {
  const login = 'ann:a secret of ann';
  for (const token of [true, false]) {
    const registry = await startRegistry(t, { token, login });
    const digest = pushImage(registry, spdx);
    signBySimpleSigning(registry, digest, [ours.privateKey]);
    const withLogin = async (host: string, given: string) => {
      const auths = { [host]: { auth: Buffer.from(given).toString('base64') } };
      const config = await tempFolder(t, { 'config.json': JSON.stringify({ auths }) });
      const { told, out, err } = await lint(t, `${registry.repository}@${digest}`, {
        env: { DOCKER_CONFIG: config },
      });
      assert.doesNotMatch(out + err, /a secret|YW5uO/);
      return told.map(({ message }) => message.replace(/^.*cannot be told: /, ''));
    };
    assert.deepEqual(await withLogin(registry.host, login), []);
    assert.deepEqual(await withLogin(`https://${registry.host}/v1/`, login), []);
    const none = 'the registry wants a password.';
    assert.deepEqual(await withLogin('127.0.0.1', login), [none, none]);
    const wrong = token ? 'the registry does not take the password.' : 'the registry answers 401.';
    assert.deepEqual(await withLogin(registry.host, 'ann:another'), [wrong, wrong]);
  }
});

test('a key of RSA signs, too, and a key may be in a file', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const options = { cosignKey: 'keys/cosign.pub', files: { 'keys/cosign.pub': pem(publicKey) } };
  const by = (key: KeyObject) => (registry: TestRegistry, digest: string) =>
    signBySimpleSigning(registry, digest, [key]);
  assert.deepEqual(await said(t, by(privateKey), options), []);
  assert.deepEqual(await said(t, by(ours.privateKey), options), [`${refused} is by another key.`]);
});

test('an image without a signature is told, and so is one whose statements are none', async (t) => {
  assert.deepEqual(await said(t, () => {}), unsigned);
  assert.deepEqual(await said(t, () => {}, { referrers: false, token: true }), unsigned);
  for (const silent of [undefined, true] as const) {
    const attested = (registry: TestRegistry, digest: string) =>
      signByBundle(registry, digest, ours.privateKey, { predicateType: spdx, ...(silent && { silent }) });
    assert.deepEqual(await said(t, attested), unsigned, 'an SBOM by the same key is no signature');
  }
});

test('a signature that is not ours, not of this image, or not what was signed counts for nothing', async (t) => {
  const other = digestOf('another image');
  const wrong: [string, (registry: TestRegistry, digest: string) => void][] = [
    ['is by another key', (r, d) => signBySimpleSigning(r, d, [theirs.privateKey])],
    ['is by another key', (r, d) => signByBundle(r, d, theirs.privateKey)],
    ['is for another image', (r, d) => signBySimpleSigning(r, d, [ours.privateKey], { says: other })],
    ['is for another image', (r, d) => signByBundle(r, d, ours.privateKey, { says: other })],
    [
      'cannot be read',
      (r, d) => signBySimpleSigning(r, d, [ours.privateKey], { type: 'atomic container signature' }),
    ],
    ['cannot be read', (r, d) => signBySimpleSigning(r, d, [ours.privateKey], { served: '{"critical":{}}' })],
    [
      'is keyless, by a certificate, which is not checked here',
      (r, d) => signBySimpleSigning(r, d, [theirs.privateKey], { certificate: 'PEM' }),
    ],
    [
      'is keyless, by a certificate, which is not checked here',
      (r, d) => signByBundle(r, d, theirs.privateKey, { material: { certificate: { rawBytes: '' } } }),
    ],
    [
      'is by another key, is for another image',
      (r, d) => {
        signBySimpleSigning(r, d, [theirs.privateKey]);
        signByBundle(r, d, ours.privateKey, { says: other });
      },
    ],
  ];
  for (const [why, sign] of wrong) assert.deepEqual(await said(t, sign), [`${refused} ${why}.`]);
});

test('what cannot be asked is not the same as unsigned, and never passes', async (t) => {
  const cannot = 'unsigned: Whether x is signed cannot be told:';
  const failing = (path: RegExp, status: number) => (registry: TestRegistry) => registry.fail(path, status);
  const noSbom = 'no-sbom: Whether x has an SBOM cannot be told:';
  const down = [`${cannot} the registry answers 503.`, `${noSbom} the registry answers 503.`];
  assert.deepEqual(await said(t, failing(/^\/v2/, 503)), down);
  assert.deepEqual(await said(t, failing(/\.sig$/, 429)), [`${cannot} the registry answers 429.`]);
  assert.deepEqual(
    await said(t, failing(/referrers/, 500)),
    down.map((line) => line.replace('503', '500')),
  );
  const password = [cannot, noSbom].map((line) => `${line} the registry wants a password.`);
  assert.deepEqual(await said(t, failing(/^\/token/, 403), { token: true }), password);
  const blobsFail = (registry: TestRegistry, digest: string) => {
    signBySimpleSigning(registry, digest, [ours.privateKey]);
    registry.fail(/\/blobs\//, 404);
  };
  assert.deepEqual(await said(t, blobsFail), [`${cannot} the registry answers 404.`]);

  const many = (registry: TestRegistry, digest: string) =>
    signBySimpleSigning(registry, digest, new Array(101).fill(theirs.privateKey));
  assert.deepEqual(await said(t, many), [`${cannot} it has more than 100 signatures.`]);
  const endless = (registry: TestRegistry, digest: string) => {
    for (let count = 0; count < 22; count++) signByBundle(registry, digest, theirs.privateKey);
  };
  const tooMany = [cannot, noSbom].map((line) => `${line} too much refers to it.`);
  assert.deepEqual(await said(t, endless, { paged: true }), tooMany);

  const registry = await startRegistry(t);
  await registry.stop();
  const images = [1, 2].map((tag) => `${registry.repository}:${tag}@${digestOf(`${tag}`)}`);
  const { told, code } = await lint(t, images.join('" }, { name: y, image: "'), {
    args: ['--resolve-images', '--strict'],
  });
  assert.equal(code, 1);
  assert.deepEqual(
    told
      .filter(({ rule }) => rule === 'unsigned')
      .map(({ message }) => message.replaceAll(registry.host, 'host')),
    images.map(
      (image) =>
        `Whether ${image.replace(registry.host, 'host')} is signed cannot be told: host cannot be reached: nothing listens there (ECONNREFUSED).`,
    ),
  );
});

test('an SBOM is found wherever tools leave it', async (t) => {
  const missing = /^\S+ has no SBOM: /;
  const leave: [string, (registry: TestRegistry, digest: string) => unknown][] = [
    ['.sbom', (r, d) => r.manifest({ layers: [] }, `${d.replace(':', '-')}.sbom`)],
    [
      '.att',
      (r, d) =>
        r.manifest(
          { layers: [r.blob('{}', { annotations: { predicateType: 'https://cyclonedx.org/bom' } })] },
          `${d.replace(':', '-')}.att`,
        ),
    ],
    [
      '.att of cosign 1',
      (r, d) => {
        const statement = { predicateType: spdx, subject: [] };
        const payload = Buffer.from(JSON.stringify(statement)).toString('base64');
        const envelope = { payload, payloadType: 'application/vnd.in-toto+json', signatures: [{ sig: '' }] };
        return r.manifest({ layers: [r.blob(JSON.stringify(envelope))] }, `${d.replace(':', '-')}.att`);
      },
    ],
    [
      'oras',
      (r, d) => r.manifest({ artifactType: 'application/spdx+json', layers: [], subject: { digest: d } }),
    ],
    ['cosign 3', (r, d) => signByBundle(r, d, theirs.privateKey, { predicateType: spdx })],
    [
      'cosign 3, unnamed',
      (r, d) => signByBundle(r, d, theirs.privateKey, { predicateType: spdx, silent: true }),
    ],
  ];
  for (const [what, put] of leave) {
    const registry = await startRegistry(t);
    const digest = pushImage(registry, 'https://slsa.dev/provenance/v1');
    signBySimpleSigning(registry, digest, [ours.privateKey]);
    const image = `${registry.repository}@${digest}`;
    const { told: before } = await lint(t, image);
    assert.deepEqual(
      before.map(({ rule, message }) => [rule, missing.test(message)]),
      [['no-sbom', true]],
    );
    put(registry, digest);
    assert.deepEqual((await lint(t, image)).told, [], what);
  }
});

test('an image that --fix pins is checked by the digest that it gets', async (t) => {
  const registry = await startRegistry(t);
  const digest = pushImage(registry, spdx);
  registry.tag('1.2', digest);
  const image = `${registry.repository}:1.2`;
  const before = await lint(t, image);
  assert.match(before.told[0]?.message ?? '', /cannot be checked for a signature without its digest: pin it/);
  const fix = { args: ['--resolve-images', '--fix'] };
  const { told, err } = await lint(t, image, fix);
  assert.deepEqual(
    told.map(({ message }) => message),
    [`${image}@${digest} has no signature: cosign sign --key … makes one.`],
    err,
  );
  signByBundle(registry, digest, ours.privateKey);
  assert.deepEqual((await lint(t, image, fix)).told, []);
});

test('no registry is asked unless that is said, and then it is said that none was', async (t) => {
  const registry = await startRegistry(t);
  const image = `${registry.repository}@${pushImage(registry)}`;
  assert.deepEqual((await lint(t, image, { args: [] })).told, []);
  assert.deepEqual(registry.asked, []);
  const root = await tempFolder(t, {
    'conventions.yaml': `images: { cosignKey: ${JSON.stringify(pem(ours.publicKey))} }`,
  });
  assert.match(
    (await runIn(root, ['deploy', 'lint'])).out,
    /Signatures of images were not looked up: --resolve-images does\./,
  );
  const stopped = new AbortController();
  stopped.abort();
  const interrupted = await lint(t, image, { signal: stopped.signal });
  assert.match(interrupted.out + interrupted.err, /interrupted/);
});

test('a key that is none is refused by the name of its field, online or not', async (t) => {
  const { privateKey } = ours;
  const wrong: [string, RegExp][] = [
    ['keys/none.pub', /names keys\/none\.pub, and there is no such file/],
    ['conventions.yaml', /must be a public key in PEM, or the file of one/],
    ['-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----', /must be a public key in PEM/],
    [privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), /is a private key: name the public one/],
    [pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey), /must be a key of ECDSA P-256/],
    [pem(generateKeyPairSync('ed25519').publicKey), /must be a key of ECDSA P-256/],
    [pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey), /at least 2048 bits/],
  ];
  for (const [cosignKey, why] of wrong) {
    const { code, out, err } = await lint(t, 'x:1', { cosignKey, args: [] });
    assert.equal(code, 1);
    const told = out + err;
    assert.match(told, /images\.cosignKey of conventions\.yaml/);
    assert.match(told, why);
    assert.doesNotMatch(told, /BEGIN|MFkw/);
  }
});
