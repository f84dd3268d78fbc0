import { Fault } from '#foundation';
import type { KeyService } from '../contract.ts';
import type { ServiceDeps } from '../given-root-keys.ts';
import { ask, member, readToken, withContext, withoutContext } from './ask.ts';

export interface VaultTransit {
  /** Without it `VAULT_ADDR`. */
  readonly url?: string | undefined;
  readonly key: string;
  readonly mount: string;
  readonly namespace?: string | undefined;
  /** Without it, and without `kubernetes`, `VAULT_TOKEN`. */
  readonly token?: string | undefined;
  readonly kubernetes?:
    | { readonly role: string; readonly mount: string; readonly token_file: string }
    | undefined;
}

/** HashiCorp Vault, OpenBao. Not every type of transit key binds a context, so it is wrapped with the key. */
export function createVaultTransit(id: string, given: VaultTransit, deps: ServiceDeps): KeyService {
  const { env } = deps;
  const who = `HashiCorp Vault, root key "${id}"`;
  const url = (given.url ?? env.VAULT_ADDR)?.replace(/\/$/, '');
  if (url === undefined) throw new Fault(`${who}: expected vault_transit.url, or VAULT_ADDR`);
  const namespace = given.namespace ?? env.VAULT_NAMESPACE;

  function post(path: string, input: object, token: string, advice: string): Promise<string> {
    return ask({
      who,
      send: deps.send,
      request: new Request(`${url}/v1/${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token === '' ? {} : { 'x-vault-token': token }),
          ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
        },
        body: JSON.stringify(input),
      }),
      secrets: [token, ...Object.values(input)],
      advice,
    });
  }

  async function signIn(): Promise<string> {
    const fixed = given.token ?? (given.kubernetes === undefined ? env.VAULT_TOKEN : undefined);
    if (fixed !== undefined) return fixed;
    if (given.kubernetes === undefined)
      throw new Fault(`${who}: expected token or kubernetes in vault_transit, or VAULT_TOKEN`);
    const { role, mount, token_file } = given.kubernetes;
    const jwt = await readToken(who, token_file);
    const advice = `Make sure that the role ${role} of the auth method ${mount} is bound to this service account.`;
    const answer = await post(`auth/${mount}/login`, { role, jwt }, '', advice);
    return member(who, answer, 'auth', 'client_token');
  }

  async function call(action: 'encrypt' | 'decrypt', input: object): Promise<string> {
    const path = `${given.mount}/${action}/${given.key}`;
    const advice = `Make sure that the transit key ${given.key} is there and that a policy gives us update on ${path}.`;
    return post(path, input, await signIn(), advice);
  }

  return {
    id,
    async wrap(bytes, context) {
      const plaintext = withContext(bytes, context).toString('base64');
      return member(who, await call('encrypt', { plaintext }), 'data', 'ciphertext');
    },
    async unwrap(wrapped, context) {
      const plaintext = member(who, await call('decrypt', { ciphertext: wrapped }), 'data', 'plaintext');
      return withoutContext(who, Buffer.from(plaintext, 'base64'), context);
    },
  };
}
