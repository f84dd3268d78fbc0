import type { AuthProviderResponse, KnownProviderResponse, SecretResponse } from '@sallyport/contracts';
import type { AuthProvider, KnownProvider } from '#credentials';

/** A provider in the words of the wire: as it was written, and of its secret only whether there is one. */
export function authProviderResponse(
  provider: AuthProvider,
  { hasSecret, redirectUri }: { readonly hasSecret: boolean; readonly redirectUri: string },
): AuthProviderResponse {
  const { written, origin, projectId } = provider;
  const isOfFile = origin === 'file';
  const type = isOfFile ? 'static' : 'project';
  const secret: SecretResponse = { exists: hasSecret, editable: !isOfFile, value: '', binding: type };
  const { id, provider_id, external_id, variables, header, entry, oauth2, token_exchange } = written;
  return {
    id,
    type: provider.type,
    ...(provider_id === undefined ? {} : { provider_id }),
    label: provider.label,
    description: provider.description,
    status: provider.status,
    ...(external_id === undefined ? {} : { external_id }),
    ...(variables === undefined ? {} : { variables }),
    ...(header === undefined ? {} : { header }),
    ...(entry === undefined ? {} : { entry }),
    ...(oauth2 === undefined
      ? {}
      : { oauth2: { ...oauth2, client_secret: secret, redirect_uri: redirectUri } }),
    ...(token_exchange === undefined ? {} : { token_exchange: { ...token_exchange, client_secret: secret } }),
    binding: { type, id: projectId },
    ...(isOfFile ? {} : { created_at: provider.createdAt, updated_at: provider.updatedAt }),
  };
}

export function knownProviderResponse(known: KnownProvider): KnownProviderResponse {
  const { settings, variables = {} } = known;
  return {
    provider_id: known.id,
    label: known.label,
    docs_url: known.docsUrl,
    register_url: known.registerUrl,
    register_note: known.registerNote,
    default_scopes: [...known.defaultScopes],
    variables: Object.entries(variables).map(([name, { label, example, default: usual }]) => ({
      name,
      label,
      example,
      ...(usual === undefined ? {} : { default: usual }),
    })),
    refreshes: settings.refresh_request !== undefined,
    pkce: settings.pkce?.enabled ?? false,
  };
}
