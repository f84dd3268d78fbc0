import { createSign } from 'node:crypto';
import { Fault } from '#foundation';
import type { KeyService } from '../contract.ts';
import type { ServiceDeps } from '../given-root-keys.ts';
import { ask, member, readToken } from './ask.ts';

export interface GcpKms {
  /** `projects/…/locations/…/keyRings/…/cryptoKeys/…` */
  readonly key: string;
  /** The JSON of a service account's key; without it `GOOGLE_APPLICATION_CREDENTIALS`, else the machine's own identity. */
  readonly credentials?: string | undefined;
  readonly endpoint?: string | undefined;
}

interface ServiceAccount {
  readonly client_email: string;
  readonly private_key: string;
  readonly token_uri: string;
}

const scope = 'https://www.googleapis.com/auth/cloudkms';
const lastsSeconds = 300;

/** The context is the additional authenticated data. */
export function createGcpKms(id: string, given: GcpKms, deps: ServiceDeps): KeyService {
  const who = `Google Cloud KMS, root key "${id}"`;
  const endpoint = given.endpoint ?? 'https://cloudkms.googleapis.com';

  async function call(action: 'encrypt' | 'decrypt', input: object): Promise<string> {
    const token = await accessToken(who, given, deps);
    return ask({
      who,
      send: deps.send,
      request: new Request(`${endpoint}/v1/${given.key}:${action}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(input),
      }),
      secrets: [token],
      advice: `Make sure that the key ${given.key} is enabled and that we have the role Cloud KMS CryptoKey Encrypter/Decrypter on it.`,
    });
  }

  const about = (context: string) => ({ additionalAuthenticatedData: base64(context) });
  return {
    id,
    async wrap(bytes, context) {
      const answer = await call('encrypt', { plaintext: bytes.toString('base64'), ...about(context) });
      return member(who, answer, 'ciphertext');
    },
    async unwrap(wrapped, context) {
      const answer = await call('decrypt', { ciphertext: wrapped, ...about(context) });
      return Buffer.from(member(who, answer, 'plaintext'), 'base64');
    },
  };
}

async function accessToken(who: string, given: GcpKms, deps: ServiceDeps): Promise<string> {
  const path = deps.env.GOOGLE_APPLICATION_CREDENTIALS;
  const text = given.credentials ?? (path === undefined ? undefined : await readToken(who, path));
  return text === undefined ? ofMachine(who, deps) : ofServiceAccount(who, serviceAccountOf(who, text), deps);
}

function serviceAccountOf(who: string, text: string): ServiceAccount {
  const wanted = `${who}: expected the JSON of a service account's key, with client_email, private_key and token_uri`;
  try {
    const { client_email, private_key, token_uri } = JSON.parse(text) as Record<string, unknown>;
    if ([client_email, private_key, token_uri].every((one) => typeof one === 'string'))
      return { client_email, private_key, token_uri } as ServiceAccount;
  } catch {
    throw new Fault(wanted);
  }
  throw new Fault(wanted);
}

async function ofServiceAccount(
  who: string,
  { client_email: iss, private_key, token_uri: aud }: ServiceAccount,
  { clock, send }: ServiceDeps,
): Promise<string> {
  const iat = Math.floor(clock.now() / 1000);
  const head = base64url({ alg: 'RS256', typ: 'JWT' });
  const claims = base64url({ iss, scope, aud, iat, exp: iat + lastsSeconds });
  let signature: string;
  try {
    signature = createSign('sha256').update(`${head}.${claims}`).sign(private_key, 'base64url');
  } catch {
    throw new Fault(`${who}: the private_key of the service account ${iss} cannot be read`);
  }
  const assertion = `${head}.${claims}.${signature}`;
  const asked = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion };
  const answer = await ask({
    who: `Google's token endpoint, for ${who},`,
    send,
    request: new Request(aud, { method: 'POST', body: new URLSearchParams(asked) }),
    secrets: [assertion],
    advice: `Make sure that the key of the service account ${iss} is in use.`,
  });
  return member(who, answer, 'access_token');
}

/** Where it runs on Google Cloud. */
async function ofMachine(who: string, { env, send }: ServiceDeps): Promise<string> {
  const host = env.GCE_METADATA_HOST ?? 'metadata.google.internal';
  const answer = await ask({
    who: `Google's metadata server, for ${who},`,
    send,
    request: new Request(`http://${host}/computeMetadata/v1/instance/service-accounts/default/token`, {
      headers: { 'metadata-flavor': 'Google' },
    }),
    secrets: [],
    advice: 'Make sure that the machine has a service account, or give credentials in gcp_kms.',
  });
  return member(who, answer, 'access_token');
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
