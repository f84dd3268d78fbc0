import { AwsClient } from 'aws4fetch';
import { Fault } from '#foundation';
import type { KeyService } from '../contract.ts';
import type { ServiceDeps } from '../given-root-keys.ts';
import { ask, member } from './ask.ts';
import { awsCredentials } from './aws-credentials.ts';

export interface AwsKms {
  /** An id, an ARN, or an alias as `alias/…`. */
  readonly key_id: string;
  /** That of the ARN, or `AWS_REGION`, unless it is given. */
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
  /** Without them those of the environment: static ones, a web identity (IRSA), or the container's. */
  readonly access_key_id?: string | undefined;
  readonly secret_access_key?: string | undefined;
  readonly session_token?: string | undefined;
}

/** The context is the encryption context: KMS demands it again, and CloudTrail shows it. */
export function createAwsKms(id: string, given: AwsKms, deps: ServiceDeps): KeyService {
  const who = `AWS KMS, root key "${id}"`;
  const region = regionOf(who, given, deps.env);
  const endpoint = given.endpoint ?? `https://kms.${region}.amazonaws.com`;

  async function call(action: 'Encrypt' | 'Decrypt', input: object): Promise<string> {
    const credentials = await awsCredentials(who, { ...given, region }, deps);
    const client = new AwsClient({ ...credentials, service: 'kms', region });
    const request = await client.sign(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${action}` },
      body: JSON.stringify({ KeyId: given.key_id, ...input }),
    });
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    return ask({
      who,
      request,
      send: deps.send,
      secrets: [accessKeyId, secretAccessKey, sessionToken],
      advice: `Make sure that the key ${given.key_id} is enabled in ${region} and that we may use kms:Encrypt and kms:Decrypt on it.`,
    });
  }

  const contextOf = (context: string) => ({ EncryptionContext: { sallyport: context } });
  return {
    id,
    async wrap(bytes, context) {
      const Plaintext = bytes.toString('base64');
      const answer = await call('Encrypt', { Plaintext, ...contextOf(context) });
      return member(who, answer, 'CiphertextBlob');
    },
    async unwrap(wrapped, context) {
      const answer = await call('Decrypt', { CiphertextBlob: wrapped, ...contextOf(context) });
      return Buffer.from(member(who, answer, 'Plaintext'), 'base64');
    },
  };
}

function regionOf(who: string, { region, key_id }: AwsKms, env: ServiceDeps['env']): string {
  const ofArn = /^arn:[^:]+:kms:([^:]+):/.exec(key_id)?.[1];
  const found = region ?? ofArn ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION;
  if (found === undefined) throw new Fault(`${who}: expected aws_kms.region, or AWS_REGION`);
  return found;
}
