import type { IncomingMessage } from 'node:http';
import type Provider from 'oidc-provider';
import { isMembers } from '#foundation';
import { actingParameters, actingResource, personScopes } from './asked-parameters.ts';
import { actingMetadata } from './client-metadata.ts';
import type { Targets } from './targets.ts';

export interface BodyDeps {
  readonly targets: Targets;
  readonly provider: Provider;
}

/** What a client sends, as it can be had; what is no such thing stays as it is, and is refused. */
export async function actingBody(
  path: string,
  { headers }: IncomingMessage,
  body: string,
  deps: BodyDeps,
): Promise<string> {
  const type = headers['content-type'] ?? '';
  if (path === '/oauth2/register')
    return /^application\/json\b/i.test(type) ? actingRegistration(body) : body;
  if (!/^application\/x-www-form-urlencoded\b/i.test(type)) return body;
  const asked = new URLSearchParams(body);
  if (path === '/oauth2/device_authorization') return actingParameters(asked, deps.targets).toString();
  return path === '/oauth2/token' ? (await actingTokenRequest(asked, deps)).toString() : body;
}

function actingRegistration(body: string): string {
  try {
    const declared: unknown = JSON.parse(body);
    return isMembers(declared) ? JSON.stringify(actingMetadata(declared)) : body;
  } catch {
    return body;
  }
}

async function actingTokenRequest(asked: URLSearchParams, { targets, provider }: BodyDeps) {
  const grantType = asked.get('grant_type');
  if (grantType === 'client_credentials') {
    const acting = actingParameters(asked, targets);
    const scopes = (acting.get('scope') ?? '').split(' ').filter((scope) => !personScopes.includes(scope));
    acting.set('scope', scopes.join(' '));
    if (scopes.length === 0) acting.delete('scope');
    return acting;
  }
  const acting = new URLSearchParams(asked);
  if (acting.has('resource')) actingResource(acting, targets);
  if (grantType === 'refresh_token') await narrowScope(acting, provider);
  return acting;
}

/** Of what a client names when it renews, only what it was given: it may name what was left out then. */
async function narrowScope(acting: URLSearchParams, provider: Provider): Promise<void> {
  const asked = acting.get('scope');
  if (asked === null) return;
  const token = await provider.RefreshToken.find(acting.get('refresh_token') ?? '', {
    ignoreExpiration: true,
  });
  const given = asked.split(' ').filter((scope) => token?.scopes.has(scope));
  if (given.length === 0) acting.delete('scope');
  else acting.set('scope', given.join(' '));
}
