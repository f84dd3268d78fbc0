import type { Credential } from '#domain';
import { isMembers, type Members } from '#foundation';
import type { Carried } from '#policy';

/** What a call carries, as hooks may know it: whose token it is, with its claims where it is a JWT, and never the token. */
export function carriedOf(credential: Credential | null): Carried {
  const { provider, token, userInfo } = credential?.authorization ?? {};
  if (provider == null || token === undefined) return [];
  const claims = claimsOf(token);
  const oauth2 = {
    scopes: provider.scopes,
    ...(claims === null ? {} : { at: claims }),
    ...(userInfo === undefined || Object.keys(userInfo).length === 0 ? {} : { user_info: userInfo }),
  };
  return [{ provider_id: provider.providerId ?? provider.id, oauth2 }];
}

/** Nobody relies on them, so the signature is not looked at. */
function claimsOf(token: string): Members | null {
  const parts = token.split('.');
  const [head = '', claims = ''] = parts;
  if (parts.length !== 3 || !isMembers(jsonOf(head))) return null;
  const said = jsonOf(claims);
  return isMembers(said) ? said : null;
}

function jsonOf(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}
