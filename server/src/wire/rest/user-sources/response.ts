import type { SecretResponse, UserSourceResponse, UserSourceTestResponse } from '@sallyport/contracts';
import type { SourceReport, UserSource } from '#identity';

/** A user source in the words of the wire. No secret is in it. */
export function userSourceResponse(source: UserSource, redirectUri: string): UserSourceResponse {
  const isOfFile = source.origin === 'file';
  const binding = isOfFile ? 'static' : 'project';
  const secret = (exists: boolean): SecretResponse => ({ exists, editable: !isOfFile, value: '', binding });
  return {
    id: source.id,
    name: source.name,
    description: source.description,
    preset: source.preset,
    issuer: source.issuer,
    client_id: source.clientId,
    client_authentication: source.clientAuth.by,
    client_secret: secret(source.clientAuth.by === 'secret'),
    client_private_key: secret(source.clientAuth.by === 'private_key_jwt'),
    scopes: [...source.scopes],
    user_claim: source.userClaim,
    groups_claim: source.groupsClaim,
    groups_required: source.groupsRequired,
    allowed_domains: [...source.allowedDomains],
    new_people: source.newPeople ?? 'none',
    assertion_client_ids: [...source.assertionClients],
    status: source.status,
    redirect_uri: redirectUri,
    binding: { type: binding, id: source.projectId },
    ...(isOfFile ? {} : { created_at: source.createdAt, updated_at: source.updatedAt }),
  };
}

const stepWords = {
  discovery: 'the issuer was found',
  scopes: 'it knows the scopes',
  keys: 'its keys can be had',
  client_authentication: 'it knows the client',
} as const;

export function testResponse({ steps, failed }: SourceReport): UserSourceTestResponse {
  return {
    success: failed === null,
    message: failed === null ? 'people can sign in here' : `${failed.step}: ${failed.detail}`,
    failed_step: failed?.step ?? null,
    steps: steps.map(({ step, ok, detail }) => ({
      step,
      ok,
      detail: detail === '' && ok ? stepWords[step] : detail,
    })),
  };
}
