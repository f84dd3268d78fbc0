import { Fault } from '#foundation';
import type { KeyService } from '../contract.ts';
import type { ServiceDeps } from '../given-root-keys.ts';
import { ask, member, readToken, withContext, withoutContext } from './ask.ts';

export interface AzureKeyVault {
  /** `https://{vault}.vault.azure.net/keys/{name}`: an RSA key. */
  readonly key: string;
  /** Without these, the environment's: `AZURE_TENANT_ID` and so on, as workload identity sets them, too. */
  readonly tenant_id?: string | undefined;
  readonly client_id?: string | undefined;
  readonly client_secret?: string | undefined;
  readonly federated_token_file?: string | undefined;
  readonly authority?: string | undefined;
}

const algorithm = 'RSA-OAEP-256';
const query = '?api-version=7.4';

/** What is wrapped names the key's version, so that a key that is rotated there still unwraps it. */
export function createAzureKeyVault(id: string, given: AzureKeyVault, deps: ServiceDeps): KeyService {
  const who = `Azure Key Vault, root key "${id}"`;

  async function call(action: 'wrapkey' | 'unwrapkey', version: string, value: string): Promise<string> {
    const token = await accessToken(who, given, deps);
    return ask({
      who,
      send: deps.send,
      request: new Request(`${given.key}${version}/${action}${query}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ alg: algorithm, value }),
      }),
      secrets: [token],
      advice: `Make sure that ${given.key} is an enabled RSA key and that we may wrap and unwrap with it (Key Vault Crypto Service Encryption User).`,
    });
  }

  return {
    id,
    async wrap(bytes, context) {
      const answer = await call('wrapkey', '', withContext(bytes, context).toString('base64url'));
      const version = /\/([A-Za-z0-9-]+)$/.exec(member(who, answer, 'kid'))?.[1];
      if (version === undefined) throw new Fault(`${who} answered without the version of the key`);
      return `${version}.${member(who, answer, 'value')}`;
    },
    async unwrap(wrapped, context) {
      const [, version, value] = /^([A-Za-z0-9-]+)\.([A-Za-z0-9_-]+)$/.exec(wrapped) ?? [];
      if (version === undefined || value === undefined)
        throw new Fault(`${who}: this vault key was wrapped by something else`);
      const answer = await call('unwrapkey', `/${version}`, value);
      return withoutContext(who, Buffer.from(member(who, answer, 'value'), 'base64url'), context);
    },
  };
}

async function accessToken(who: string, given: AzureKeyVault, deps: ServiceDeps): Promise<string> {
  const { env } = deps;
  const tenant = given.tenant_id ?? env.AZURE_TENANT_ID;
  const client = given.client_id ?? env.AZURE_CLIENT_ID;
  const secret = given.client_secret ?? env.AZURE_CLIENT_SECRET;
  const file = given.federated_token_file ?? env.AZURE_FEDERATED_TOKEN_FILE;
  if (tenant === undefined || client === undefined || (secret === undefined && file === undefined)) {
    throw new Fault(
      `${who}: there are no credentials. Expected tenant_id, client_id and one of client_secret and federated_token_file in ` +
        'azure_key_vault, or AZURE_TENANT_ID, AZURE_CLIENT_ID and one of AZURE_CLIENT_SECRET and AZURE_FEDERATED_TOKEN_FILE',
    );
  }
  const proof = secret ?? (await readToken(who, file as string));
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: client,
    scope: 'https://vault.azure.net/.default',
    ...(secret === undefined
      ? {
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: proof,
        }
      : { client_secret: proof }),
  });
  const authority = given.authority ?? env.AZURE_AUTHORITY_HOST ?? 'https://login.microsoftonline.com';
  const answer = await ask({
    who: `Microsoft Entra, for ${who},`,
    send: deps.send,
    request: new Request(`${authority.replace(/\/$/, '')}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`, {
      method: 'POST',
      body,
    }),
    secrets: [proof],
    advice: `Make sure that the application ${client} of the tenant ${tenant} has this secret, or trusts this identity.`,
  });
  return member(who, answer, 'access_token');
}
