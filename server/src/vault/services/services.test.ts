import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { createEgress } from '#egress';
import { manualClock } from '#foundation';
import type { KeyService } from '../contract.ts';
import { startAwsKms, startAwsSts } from '../fixtures/aws.ts';
import { startAzure } from '../fixtures/azure.ts';
import { startGoogle } from '../fixtures/gcp.ts';
import { type Asked, type StandIn, startStandIn } from '../fixtures/stand-in.ts';
import { startTransit } from '../fixtures/transit.ts';
import { type DeclaredRootKey, givenRootKeys } from '../given-root-keys.ts';

const clock = manualClock();
const egress = createEgress({ allow: [] });
const directory = mkdtempSync(join(tmpdir(), 'sallyport-services-'));
after(() => {
  egress.close();
  rmSync(directory, { recursive: true });
});
const bytes = Buffer.alloc(32, 3);

function serviceOf(
  key: Omit<DeclaredRootKey, 'id' | 'default'>,
  env: Record<string, string> = {},
): KeyService {
  const declared = [{ id: 'main', default: true, ...key }];
  const { keys, defaultId } = givenRootKeys({ declared, environment: null, env, egress, clock });
  assert.equal(defaultId, 'main');
  return keys[0]?.service as KeyService;
}

function closing<One extends StandIn>(context: TestContext, standIn: One): One {
  context.after(() => standIn.close());
  return standIn;
}

function fileOf(text: string): string {
  const path = join(directory, `token-${Math.trunc(performance.now() * 1000)}`);
  writeFileSync(path, `${text}\n`);
  return path;
}

/** What every key service promises. */
async function keepsItsPromise(service: KeyService): Promise<void> {
  const wrapped = await service.wrap(bytes, 'vault key 1');
  assert.ok((await service.unwrap(wrapped, 'vault key 1')).equals(bytes));
  assert.notEqual(await service.wrap(bytes, 'vault key 1'), wrapped);
  for (const encoding of ['base64', 'base64url', 'hex'] as const)
    assert.ok(!wrapped.includes(bytes.toString(encoding)));
  await assert.rejects(service.unwrap(wrapped, 'vault key 2'), /root key "main"/);
  const end = wrapped.replace(/=*$/, '').slice(-8);
  const changed = wrapped.replace(end, end.split('').reverse().join(''));
  await assert.rejects(service.unwrap(changed, 'vault key 1'), /root key "main"/);
}

async function messageOfRefusal(refused: Promise<unknown>): Promise<string> {
  try {
    await refused;
  } catch (error) {
    return (error as Error).message;
  }
  return assert.fail('it was not refused');
}

const bodies = (asked: readonly Asked[]) => asked.map(({ body }) => body).join();

describe('AWS KMS', () => {
  const account = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG' };
  const temporary = {
    accessKeyId: 'ASIAEXAMPLE',
    secretAccessKey: 'tEmPoRaRy/Secret',
    sessionToken: 'FwoGZ/tok==',
  };
  const arn = 'arn:aws:kms:eu-central-1:1:key/k';
  const at = { region: 'eu-central-1', keyId: arn };

  it('wraps and unwraps, signed, with keys of the config file or of the environment', async (context) => {
    const kms = closing(context, await startAwsKms({ account, ...at }));
    const { accessKeyId: access_key_id, secretAccessKey: secret_access_key } = account;
    await keepsItsPromise(
      serviceOf({ aws_kms: { key_id: arn, endpoint: kms.url, access_key_id, secret_access_key } }),
    );
    const env = { AWS_ACCESS_KEY_ID: access_key_id, AWS_SECRET_ACCESS_KEY: secret_access_key };
    await keepsItsPromise(serviceOf({ aws_kms: { key_id: arn, endpoint: kms.url } }, env));
    assert.ok(!bodies(kms.asked).includes(secret_access_key));
  });

  it('goes by the role of the pod (IRSA), with a token that is read each time', async (context) => {
    const kms = closing(context, await startAwsKms({ account: temporary, ...at }));
    const roleArn = 'arn:aws:iam::1:role/gateway';
    const sts = closing(context, await startAwsSts({ token: 'eyJ.pod.1', roleArn, account: temporary }));
    const file = fileOf('eyJ.pod.1');
    const env = {
      AWS_ROLE_ARN: roleArn,
      AWS_WEB_IDENTITY_TOKEN_FILE: file,
      AWS_ENDPOINT_URL_STS: sts.url,
    };
    const service = serviceOf({ aws_kms: { key_id: arn, endpoint: kms.url } }, env);
    await keepsItsPromise(service);
    writeFileSync(file, 'eyJ.pod.of.another');
    const message = await messageOfRefusal(service.wrap(bytes, 'x'));
    assert.match(
      message,
      /^AWS STS, for AWS KMS, root key "main" refused .*InvalidIdentityToken.*trusts the identity/,
    );
    assert.ok(!message.includes('eyJ.pod'));
  });

  it("goes by the container's credentials", async (context) => {
    const kms = closing(context, await startAwsKms({ account: temporary, ...at }));
    const agent = closing(
      context,
      await startStandIn(({ path, headers }) => {
        assert.deepEqual([path, headers.authorization], ['/v1/credentials', 'pod-token']);
        const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token } = temporary;
        return { body: { AccessKeyId, SecretAccessKey, Token } };
      }),
    );
    await keepsItsPromise(
      serviceOf(
        { aws_kms: { key_id: arn, endpoint: kms.url } },
        {
          AWS_CONTAINER_CREDENTIALS_FULL_URI: `${agent.url}/v1/credentials`,
          AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: fileOf('pod-token'),
        },
      ),
    );
  });

  it('says which credentials and which region it wants', async () => {
    assert.throws(
      () => serviceOf({ aws_kms: { key_id: 'alias/x' } }),
      /expected aws_kms\.region, or AWS_REGION/,
    );
    const service = serviceOf({ aws_kms: { key_id: 'alias/x' } }, { AWS_REGION: 'us-east-1' });
    await assert.rejects(service.wrap(bytes, 'x'), /there are no credentials\. Expected access_key_id/);
  });

  it('is told apart where it refuses: the key, the region, the permission, no credential', async (context) => {
    const kms = closing(context, await startAwsKms({ account, ...at }));
    const service = serviceOf({
      aws_kms: { key_id: arn, endpoint: kms.url, access_key_id: 'AKIDEXAMPLE', secret_access_key: 'SEKRET' },
    });
    await assert.rejects(service.wrap(bytes, 'x'), /HTTP 400: Refused, AssertionError.*signature/);
    kms.answers({
      status: 400,
      body: { __type: 'AccessDeniedException', message: 'AKIDEXAMPLE with SEKRET may not' },
    });
    const message = await messageOfRefusal(service.wrap(bytes, 'x'));
    assert.match(
      message,
      /HTTP 400: AccessDeniedException, .*may not\. Make sure that the key arn:.*kms:Decrypt/,
    );
    assert.ok(!message.includes('SEKRET') && !message.includes('AKIDEXAMPLE'));
  });
});

describe('Google Cloud KMS', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = 'projects/p/locations/l/keyRings/r/cryptoKeys/k';
  const email = 'gateway@p.iam.gserviceaccount.com';
  const start = async (context: TestContext) =>
    closing(context, await startGoogle({ email, publicKey, key, nowSeconds: () => clock.now() / 1000 }));
  const accountOf = (url: string, pem = privateKey.export({ format: 'pem', type: 'pkcs8' })) =>
    JSON.stringify({
      type: 'service_account',
      client_email: email,
      private_key: pem,
      token_uri: `${url}/token`,
    });

  it('wraps and unwraps as a service account, of the config file or of the environment', async (context) => {
    const google = await start(context);
    const credentials = accountOf(google.url);
    await keepsItsPromise(serviceOf({ gcp_kms: { key, endpoint: google.url, credentials } }));
    const env = { GOOGLE_APPLICATION_CREDENTIALS: fileOf(credentials) };
    await keepsItsPromise(serviceOf({ gcp_kms: { key, endpoint: google.url } }, env));
  });

  it('wraps and unwraps as the machine that it runs on', async (context) => {
    const google = await start(context);
    const env = { GCE_METADATA_HOST: new URL(google.url).host };
    await keepsItsPromise(serviceOf({ gcp_kms: { key, endpoint: google.url } }, env));
  });

  it('is told apart where it refuses, without a credential', async (context) => {
    const google = await start(context);
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const credentials = accountOf(google.url, stranger.export({ format: 'pem', type: 'pkcs8' }));
    const message = await messageOfRefusal(
      serviceOf({ gcp_kms: { key, endpoint: google.url, credentials } }).wrap(bytes, 'x'),
    );
    assert.match(message, /^Google's token endpoint, .*root key "main", refused .*invalid_grant.*in use/);
    assert.ok(!/eyJ/.test(message));
    const other = `${key}-other`;
    const refused = serviceOf({
      gcp_kms: { key: other, endpoint: google.url, credentials: accountOf(google.url) },
    });
    await assert.rejects(refused.wrap(bytes, 'x'), /HTTP 403: PERMISSION_DENIED.*Encrypter\/Decrypter/);
    for (const broken of ['{}', 'no JSON', '[1]'])
      await assert.rejects(
        serviceOf({ gcp_kms: { key, endpoint: google.url, credentials: broken } }).wrap(bytes, 'x'),
        /expected the JSON of a service account's key/,
      );
  });
});

describe('Azure Key Vault', () => {
  const ids = { tenant_id: 'tenant-1', client_id: 'app-1' };

  it('wraps and unwraps with an RSA key, also after that was rotated there', async (context) => {
    const azure = closing(context, await startAzure({ client_secret: 'az~secret' }));
    const key = `${azure.url}/keys/root`;
    const service = serviceOf({
      azure_key_vault: { key, ...ids, client_secret: 'az~secret', authority: azure.url },
    });
    await keepsItsPromise(service);
    const wrapped = await service.wrap(bytes, 'x');
    azure.rotate();
    assert.ok((await service.unwrap(wrapped, 'x')).equals(bytes));
    assert.notEqual((await service.wrap(bytes, 'x')).split('.')[0], wrapped.split('.')[0]);
  });

  it('goes by the identity of the workload', async (context) => {
    const azure = closing(
      context,
      await startAzure({
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: 'eyJ.of.pod',
      }),
    );
    const env = {
      AZURE_TENANT_ID: 'tenant-1',
      AZURE_CLIENT_ID: 'app-1',
      AZURE_FEDERATED_TOKEN_FILE: fileOf('eyJ.of.pod'),
      AZURE_AUTHORITY_HOST: `${azure.url}/`,
    };
    await keepsItsPromise(serviceOf({ azure_key_vault: { key: `${azure.url}/keys/root` } }, env));
  });

  it('is told apart where it refuses, without a credential', async (context) => {
    const azure = closing(context, await startAzure({ client_secret: 'right' }));
    const at = { ...ids, authority: azure.url };
    const wrong = { key: `${azure.url}/keys/root`, ...at, client_secret: 'SEKRET' };
    const message = await messageOfRefusal(serviceOf({ azure_key_vault: wrong }).wrap(bytes, 'x'));
    assert.match(
      message,
      /^Microsoft Entra, .*HTTP 401: invalid_client, AADSTS7000215.*application app-1 of the tenant/,
    );
    assert.ok(!message.includes('SEKRET'));
    const gone = { key: `${azure.url}/keys/other`, ...at, client_secret: 'right' };
    await assert.rejects(
      serviceOf({ azure_key_vault: gone }).wrap(bytes, 'x'),
      /HTTP 404: KeyNotFound.*enabled RSA key/,
    );
    await assert.rejects(
      serviceOf({ azure_key_vault: { key: `${azure.url}/keys/root` } }).wrap(bytes, 'x'),
      /there are no credentials\. Expected tenant_id/,
    );
  });
});

describe('HashiCorp Vault transit', () => {
  it('wraps and unwraps with a token, in a namespace, below another mount', async (context) => {
    const vault = closing(
      context,
      await startTransit({ token: 'hvs.x', namespace: 'team', mount: 'kms/transit' }),
    );
    const settings = { key: 'sallyport', mount: 'kms/transit' };
    await keepsItsPromise(
      serviceOf({ vault_transit: { ...settings, url: `${vault.url}/`, token: 'hvs.x', namespace: 'team' } }),
    );
    const env = { VAULT_ADDR: vault.url, VAULT_TOKEN: 'hvs.x', VAULT_NAMESPACE: 'team' };
    await keepsItsPromise(serviceOf({ vault_transit: settings }, env));
  });

  it('signs in as a service account of Kubernetes', async (context) => {
    const vault = closing(context, await startTransit({ token: 'hvs.k8s', jwt: 'eyJ.sa' }));
    const kubernetes = { role: 'gateway', mount: 'kubernetes', token_file: fileOf('eyJ.sa') };
    const settings = { url: vault.url, key: 'sallyport', mount: 'transit' };
    await keepsItsPromise(serviceOf({ vault_transit: { ...settings, kubernetes } }));
    const other = { ...kubernetes, token_file: fileOf('eyJ.other') };
    const message = await messageOfRefusal(
      serviceOf({ vault_transit: { ...settings, kubernetes: other } }).wrap(bytes, 'x'),
    );
    assert.match(message, /HTTP 403: permission denied.*role gateway of the auth method kubernetes/);
    assert.ok(!message.includes('eyJ.other'));
    const missing = { ...kubernetes, token_file: join(directory, 'none') };
    await assert.rejects(
      serviceOf({ vault_transit: { ...settings, kubernetes: missing } }).wrap(bytes, 'x'),
      /token file .*none cannot be read \(ENOENT\)/,
    );
  });

  it('is told apart where it refuses, without a credential', async (context) => {
    const vault = closing(context, await startTransit({ token: 'hvs.x' }));
    const settings = { url: vault.url, key: 'sallyport', mount: 'transit' };
    const message = await messageOfRefusal(
      serviceOf({ vault_transit: { ...settings, token: 'hvs.SEKRET' } }).wrap(bytes, 'x'),
    );
    assert.match(
      message,
      /HTTP 403: permission denied\. .*policy gives us update on transit\/encrypt\/sallyport/,
    );
    assert.ok(!message.includes('SEKRET'));
    await assert.rejects(
      serviceOf({ vault_transit: settings }).wrap(bytes, 'x'),
      /expected token or kubernetes/,
    );
    assert.throws(
      () => serviceOf({ vault_transit: { key: 'k', mount: 'transit' } }),
      /expected vault_transit\.url, or VAULT_ADDR/,
    );
  });
});

describe('a key service', () => {
  const transit = (url: string) =>
    serviceOf({ vault_transit: { url, key: 'sallyport', mount: 'transit', token: 'hvs.SEKRET' } });

  it('that answers with nonsense is told so', async (context) => {
    const vault = closing(context, await startTransit({ token: 'hvs.SEKRET' }));
    const answers: [unknown, RegExp][] = [
      ['<html>', /something else than JSON/],
      [{}, /without data\.ciphertext/],
      [{ data: { ciphertext: 7 } }, /without data\.ciphertext/],
      ['null', /without data\.ciphertext/],
      ['x'.repeat(70 * 1024), /cannot be reached/],
    ];
    for (const [body, words] of answers) {
      vault.answers({ body });
      await assert.rejects(transit(vault.url).wrap(bytes, 'x'), words);
    }
    vault.answers({ status: 500, body: { errors: ['e'.repeat(5000)] } });
    assert.ok((await messageOfRefusal(transit(vault.url).wrap(bytes, 'x'))).length < 700);
    vault.answers({ status: 307, body: '' });
    await assert.rejects(transit(vault.url).wrap(bytes, 'x'), /HTTP 307/);
  });

  it('that is not there is told by its address, without a credential', async () => {
    const vault = await startTransit({ token: 'hvs.SEKRET' });
    await vault.close();
    const message = await messageOfRefusal(transit(vault.url).wrap(bytes, 'x'));
    assert.match(
      message,
      /^HashiCorp Vault, root key "main" cannot be reached at http:\/\/127\.0\.0\.1:\d+: /,
    );
    assert.ok(!message.includes('SEKRET'));
  });

  it('that would be a metadata address is not asked unless it is allowed', async () => {
    const key = 'projects/p/locations/l/keyRings/r/cryptoKeys/k';
    const env = { GCE_METADATA_HOST: '169.254.169.254' };
    await assert.rejects(
      serviceOf({ gcp_kms: { key } }, env).wrap(bytes, 'x'),
      /cannot be reached at http:\/\/169\.254\.169\.254: .*metadata/,
    );
  });
});

describe('which root key is for what is new', () => {
  const one = (id: string, isDefault?: boolean) => ({ id, default: isDefault, value: bytes });
  const defaultOf = (declared: readonly DeclaredRootKey[], environment: Buffer | null = null) =>
    givenRootKeys({ declared, environment, env: {}, egress, clock }).defaultId;

  it("is the one that says so, else the environment's, else the only one", () => {
    assert.equal(defaultOf([one('a'), one('b', true)], bytes), 'b');
    assert.equal(defaultOf([one('a'), one('b')], bytes), 'environment');
    assert.equal(defaultOf([one('a')]), 'a');
    assert.equal(defaultOf([], bytes), 'environment');
    assert.equal(defaultOf([one('a', false)]), null, 'replicas learn it before it seals');
    assert.equal(defaultOf([one('a', false), one('b', true)]), 'b');
    assert.equal(defaultOf([]), null);
    assert.throws(() => defaultOf([one('a'), one('b')]), /expected "default: true" at one of them/);
  });
});
