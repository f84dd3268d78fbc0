/** Requests and answers of `/v1/admin/auth_providers`. */

/** How users prove themselves there. `token_exchange`: by their own sign-in here, without being asked. */
export type CredentialProviderType = 'oauth2' | 'api_key' | 'basic' | 'token' | 'token_exchange';

export interface AuthProviderRequest {
  id: string;
  type: CredentialProviderType;
  provider_id?: string | undefined;
  description?: string | undefined;
  status?: 'active' | 'inactive' | undefined;
  external_id?: string | undefined;
  oauth2?: OAuth2Request | undefined;
}
export type AuthProviderUpdate = Partial<AuthProviderRequest>;

export interface OAuth2Request extends Partial<OAuth2Settings> {
  client_secret?: string | undefined;
}

/** One request to a provider; its `params` may hold placeholders such as `{{client_id}}`. */
export interface OAuth2RequestSettings {
  endpoint: string;
  method?: string | undefined;
  auth_method?: string | undefined;
  auth_header_value_format?: string | undefined;
  params?: Record<string, string> | undefined;
  request_content_type?: string | undefined;
  response_content_type?: string | undefined;
  response_map?: Record<string, string> | undefined;
  expiration_format?: string | undefined;
}

export interface OAuth2Settings {
  client_id: string;
  scope_delimiter?: ',' | ' ' | undefined;
  pkce?: { enabled?: boolean | undefined; code_challenge_method?: string | undefined } | undefined;
  authorize_request?: OAuth2RequestSettings | undefined;
  token_request?: OAuth2RequestSettings | undefined;
  refresh_request?: OAuth2RequestSettings | undefined;
  user_info_request?: TriggeredRequestSettings | undefined;
  token_introspection_request?: TriggeredRequestSettings | undefined;
  /** RFC 7009; not in Arcade's shape. */
  revocation_request?: OAuth2RequestSettings | undefined;
}

export interface TriggeredRequestSettings extends OAuth2RequestSettings {
  triggers?: { on_token_grant?: boolean | undefined; on_token_refresh?: boolean | undefined } | undefined;
}
