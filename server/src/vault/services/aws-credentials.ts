import { Fault } from '#foundation';
import type { ServiceDeps } from '../given-root-keys.ts';
import { ask, member, readToken } from './ask.ts';
import type { AwsKms } from './aws-kms.ts';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Where the tools of AWS look, in their order, but for the machine's own: those given, the environment, a web identity, the container's. */
export async function awsCredentials(
  who: string,
  given: AwsKms & { readonly region: string },
  deps: ServiceDeps,
): Promise<AwsCredentials> {
  const { env } = deps;
  if (given.access_key_id !== undefined && given.secret_access_key !== undefined)
    return fixed(given.access_key_id, given.secret_access_key, given.session_token);
  if (env.AWS_ACCESS_KEY_ID && env.AWS_SECRET_ACCESS_KEY)
    return fixed(env.AWS_ACCESS_KEY_ID, env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN);
  if (env.AWS_ROLE_ARN && env.AWS_WEB_IDENTITY_TOKEN_FILE)
    return ofWebIdentity(who, given.region, env.AWS_ROLE_ARN, env.AWS_WEB_IDENTITY_TOKEN_FILE, deps);
  const container =
    env.AWS_CONTAINER_CREDENTIALS_FULL_URI ??
    (env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI === undefined
      ? undefined
      : `http://169.254.170.2${env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI}`);
  if (container !== undefined) return ofContainer(who, container, deps);
  throw new Fault(
    `${who}: there are no credentials. Expected access_key_id and secret_access_key in aws_kms, AWS_ACCESS_KEY_ID and ` +
      'AWS_SECRET_ACCESS_KEY, or a role of the pod or the task',
  );
}

function fixed(accessKeyId: string, secretAccessKey: string, sessionToken?: string): AwsCredentials {
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}

async function ofWebIdentity(
  who: string,
  region: string,
  roleArn: string,
  tokenFile: string,
  { env, send }: ServiceDeps,
): Promise<AwsCredentials> {
  const token = await readToken(who, tokenFile);
  const body = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: roleArn,
    RoleSessionName: env.AWS_ROLE_SESSION_NAME ?? 'sallyport',
    WebIdentityToken: token,
  });
  const answer = await ask({
    who: `AWS STS, for ${who}`,
    send,
    request: new Request(env.AWS_ENDPOINT_URL_STS ?? `https://sts.${region}.amazonaws.com/`, {
      method: 'POST',
      body,
    }),
    secrets: [token],
    advice: `Make sure that the role ${roleArn} trusts the identity of this pod.`,
  });
  const textOf = (tag: string) => new RegExp(`<${tag}>([^<]+)</${tag}>`).exec(answer)?.[1] ?? '';
  const found = fixed(textOf('AccessKeyId'), textOf('SecretAccessKey'), textOf('SessionToken'));
  if (found.accessKeyId === '' || found.secretAccessKey === '')
    throw new Fault(`AWS STS, for ${who}, answered without credentials`);
  return found;
}

async function ofContainer(who: string, uri: string, { env, send }: ServiceDeps): Promise<AwsCredentials> {
  const file = env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE;
  const token =
    file === undefined ? (env.AWS_CONTAINER_AUTHORIZATION_TOKEN ?? '') : await readToken(who, file);
  const from = `the container's credentials, for ${who},`;
  const answer = await ask({
    who: from,
    send,
    request: new Request(uri, { headers: token === '' ? {} : { authorization: token } }),
    secrets: [token],
    advice: 'Make sure that the pod or the task has a role.',
  });
  return fixed(
    member(from, answer, 'AccessKeyId'),
    member(from, answer, 'SecretAccessKey'),
    member(from, answer, 'Token'),
  );
}
