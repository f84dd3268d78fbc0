import type { ClientMetadata } from 'oidc-provider';
import { jwtBearer } from './grants/service-account-client.ts';
import { cliClientId } from './targets.ts';

export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

/** What clients may ask to do in the name of people. Whatever else they declare is not theirs, and no reason to refuse them. */
const grantTypesOfPeople = ['authorization_code', 'refresh_token', deviceGrant, jwtBearer];

const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]']);

const privateAddress =
  /^(?:10\.[\d.]+|192\.168\.[\d.]+|172\.(?:1[6-9]|2\d|3[01])\.[\d.]+|\[f[cd][0-9a-f]{2}:[0-9a-f:]+\])$/;

/** What of a registration is kept; nothing else acts here. */
const keptFields = [
  'client_name',
  'redirect_uris',
  'token_endpoint_auth_method',
  'token_endpoint_auth_signing_alg',
  'jwks',
  'jwks_uri',
];

type Fields = { readonly [field: string]: unknown };

/**
 * A client's own description, from its registration or its metadata document, as it acts here. What it asks for beyond that
 * (scopes, grants that are not for it) is left out instead of refused. With a loopback redirect, any port is its own.
 */
export function actingMetadata(declared: Fields): { [field: string]: unknown } {
  const acting: { [field: string]: unknown } = {};
  for (const field of keptFields) if (declared[field] !== undefined) acting[field] = declared[field];
  acting.grant_types = grantTypesOf(declared.grant_types);
  const usesCodes = (acting.grant_types as string[]).includes('authorization_code');
  acting.response_types = usesCodes ? ['code'] : [];
  if (!usesCodes) acting.redirect_uris ??= [];
  // The library lets only native clients choose a port, and takes http and other schemes only of them.
  acting.application_type = isWebOnly(declared.redirect_uris) ? 'web' : 'native';
  return acting;
}

function grantTypesOf(declared: unknown): string[] {
  const wanted = Array.isArray(declared) ? grantTypesOfPeople.filter((type) => declared.includes(type)) : [];
  return wanted.length > 0 ? wanted : ['authorization_code', 'refresh_token'];
}

/** Over https, or to another computer of a private network by its address: no name leads elsewhere there. */
function isWebOnly(uris: unknown): boolean {
  return (
    Array.isArray(uris) &&
    uris.every((uri) => {
      if (!isWebUrl(uri)) return false;
      const { protocol, hostname } = new URL(uri);
      return protocol === 'https:' || privateAddress.test(hostname);
    })
  );
}

function isWebUrl(value: unknown): value is string {
  return typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

/** Schemes that are no application's own: browsers and systems do something by themselves with what is behind them. */
const busySchemes = new Set(
  'about blob chrome data edge file filesystem ftp intent jar javascript mailto resource sms tel vbscript view-source ws wss'
    .split(' ')
    .map((scheme) => `${scheme}:`),
);

/** Whether an answer may go there at all; a name before `@` looks like a host that it is not, and no star stands for others. */
export function isFitRedirect(uri: unknown): boolean {
  if (typeof uri !== 'string' || !URL.canParse(uri)) return false;
  const { protocol, hostname, username, password } = new URL(uri);
  return !busySchemes.has(protocol) && username === '' && password === '' && !hostname.includes('*');
}

/** Clients whose id is the URL of a document: its host vouches for what it says. */
export function vouchingHost(clientId: string): string | null {
  return clientId.startsWith('https://') && URL.canParse(clientId) ? new URL(clientId).host : null;
}

/** Where an answer goes, in words for a person. */
export function redirectHostOf(redirectUri: string): string {
  if (!URL.canParse(redirectUri)) return '';
  const { protocol, hostname, host } = new URL(redirectUri);
  if (protocol !== 'http:' && protocol !== 'https:') return protocol;
  return loopbackNames.has(hostname) ? `${hostname} (this computer)` : host;
}

export function isOnThisComputer(redirectUri: string): boolean {
  return isWebUrl(redirectUri) && loopbackNames.has(new URL(redirectUri).hostname);
}

/** Registered in advance: our own command line. */
export const cliClient: ClientMetadata = {
  client_id: cliClientId,
  client_name: 'Sallyport command line',
  application_type: 'native',
  redirect_uris: ['http://127.0.0.1:9905/callback', 'http://localhost:9905/callback'],
  grant_types: ['authorization_code', 'refresh_token', deviceGrant],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};
