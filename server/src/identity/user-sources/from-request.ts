import { createPrivateKey } from 'node:crypto';
import type { CreateUserSourceRequest, UpdateUserSourceRequest } from '@sallyport/contracts';
import type { UserSource, UserSourceDraft } from './contract.ts';
import { presetOf } from './presets.ts';

/**
 * From the words of the REST API and the config file to those of the platform. Requests were checked by their schemas before
 * they come here.
 */

type Place = Pick<UserSourceDraft, 'id' | 'projectId'>;
type Edit = Omit<UserSourceDraft, keyof Place>;
type Request = Omit<CreateUserSourceRequest, 'skip_validation'>;

/** What is left out is filled in from the preset. `clientAuth` where the request says nothing of it: a public client. */
export function newUserSourceFromRequest(
  request: Request,
  place: Place,
  clientAuth: UserSource['clientAuth'] = { by: 'none' },
): UserSourceDraft {
  const preset = presetOf(request.preset ?? null);
  return {
    ...place,
    name: request.name,
    description: request.description ?? '',
    issuer: request.issuer,
    preset: request.preset ?? null,
    clientId: request.client_id,
    clientAuth: clientAuthOf(request) ?? clientAuth,
    scopes: request.scopes ?? preset.scopes,
    userClaim: request.user_claim ?? preset.userClaim,
    groupsClaim: request.groups_claim ?? preset.groupsClaim,
    groupsRequired: request.groups_required ?? false,
    allowedDomains: request.allowed_domains ?? [],
    newPeople: request.new_people === 'none' ? null : 'member',
    assertionClients: request.assertion_client_ids ?? [],
    status: request.status ?? 'active',
  };
}

/** What is left out stays. */
export function userSourceEditFromRequest(request: UpdateUserSourceRequest, source: UserSource): Edit {
  const { id, projectId, origin, createdAt, updatedAt, ...current } = source;
  const given = {
    name: request.name,
    description: request.description,
    issuer: request.issuer,
    preset: request.preset,
    clientId: request.client_id,
    clientAuth: clientAuthOf(request),
    scopes: request.scopes,
    userClaim: request.user_claim,
    groupsClaim: request.groups_claim,
    groupsRequired: request.groups_required,
    allowedDomains: request.allowed_domains,
    newPeople: request.new_people === undefined ? undefined : request.new_people === 'none' ? null : 'member',
    assertionClients: request.assertion_client_ids,
    status: request.status,
  };
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...current, ...said };
}

/** `undefined`: the request says nothing of it. */
function clientAuthOf({
  client_secret: secret,
  client_private_key: key,
}: Pick<UpdateUserSourceRequest, 'client_secret' | 'client_private_key'>):
  | UserSource['clientAuth']
  | undefined {
  if (secret != null) return { by: 'secret', secret };
  if (key != null) return { by: 'private_key_jwt', jwk: jwkOf(key) };
  return secret === null || key === null ? { by: 'none' } : undefined;
}

/** What cannot be read becomes a key without members, which is refused where the source is checked. */
function jwkOf(text: string): { readonly [field: string]: unknown } {
  try {
    if (!text.includes('PRIVATE KEY-----')) return Object(JSON.parse(text)) as { [field: string]: unknown };
    return createPrivateKey(text).export({ format: 'jwk' }) as { [field: string]: unknown };
  } catch {
    return {};
  }
}
