import { createPrivateKey } from 'node:crypto';
import { type Refusal, refusal } from '#domain';
import type { UserSource } from './contract.ts';
import { presetOf } from './presets.ts';

type Checked = Pick<
  UserSource,
  'issuer' | 'preset' | 'clientAuth' | 'scopes' | 'allowedDomains' | 'groupsClaim' | 'groupsRequired'
>;

/** Tenants of Microsoft that stand for all of them, or for a place to be filled in. */
const manyTenants =
  /^https:\/\/login\.microsoftonline\.(?:com|us)\/(?:common|organizations|consumers|\{[^}/]*\}|%7B[^/]*%7D)(?:\/|$)/i;
const keyTypes = ['RSA', 'EC', 'OKP'];

/** What is wrong with a source that its schema cannot see. */
export function checkUserSource(source: Checked): Refusal | null {
  const { preset, clientAuth, scopes, allowedDomains } = source;
  const known = presetOf(preset);
  const ofIssuer = issuerProblem(source);
  if (ofIssuer !== null) return wrong('issuer', ofIssuer);
  if (!scopes.includes('openid')) return wrong('scopes', 'must have openid among them');
  const refused = scopes.find((scope) => known.refusedScopes.includes(scope));
  if (refused !== undefined)
    return wrong('scopes', `${known.title} refuses the scope ${refused}; leave it out`);
  if (known.isPublic && allowedDomains.length === 0)
    return wrong(
      'allowed_domains',
      `is required for ${known.title}: anybody has an account there, and would come in`,
    );
  if (source.groupsRequired && source.groupsClaim === '')
    return wrong('groups_required', 'needs a groups_claim to look at');
  if (clientAuth.by === 'private_key_jwt' && !isPrivateKey(clientAuth.jwk))
    return wrong('client_private_key', 'must be a private RSA, EC or Ed25519 key as a JWK');
  return null;
}

function issuerProblem({ issuer, preset }: Checked): string | null {
  if (manyTenants.test(issuer) || /\{tenant(?:id)?\}/i.test(issuer))
    return 'stands for every tenant of Microsoft, so anybody could come in; name one: https://login.microsoftonline.com/<tenant id>/v2.0';
  if (!URL.canParse(issuer)) return 'must be a URL';
  const url = new URL(issuer);
  if (
    url.username !== '' ||
    url.password !== '' ||
    url.search !== '' ||
    url.hash !== '' ||
    /[?#]/.test(issuer)
  )
    return 'must be a URL without credentials, query and fragment';
  if (issuer.endsWith('/.well-known/openid-configuration'))
    return 'is the address of the discovery document; leave out /.well-known/openid-configuration';
  if (!isSafe(url)) return 'must be an https URL';
  const isOfV1 = url.hostname === 'sts.windows.net' || /^\/[^/]+\/?$/.test(url.pathname);
  if (preset === 'entra' && isOfV1)
    return 'must be that of the version 2.0, https://login.microsoftonline.com/<tenant id>/v2.0';
  return null;
}

/** Plain http only where it never leaves the machine. */
export function isSafe(url: URL): boolean {
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
}

function isPrivateKey(jwk: { readonly [field: string]: unknown }): boolean {
  if (!keyTypes.includes(String(jwk.kty)) || typeof jwk.d !== 'string') return false;
  try {
    createPrivateKey({ key: { ...jwk }, format: 'jwk' });
    return true;
  } catch {
    return false;
  }
}

function wrong(field: string, what: string): Refusal {
  return refusal('request.params_invalid', `${field}: ${what}`, { field });
}
