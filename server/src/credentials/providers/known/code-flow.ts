import type { OAuth2Settings } from '@sallyport/contracts';

type Flow = Pick<OAuth2Settings, 'authorize_request' | 'token_request' | 'refresh_request'>;
type Params = { readonly [name: string]: string };

export interface CodeFlowFacts {
  readonly authorize: string;
  readonly token: string;
  /** How the client says at the token endpoint who it is: in the body, or by HTTP Basic. */
  readonly client: 'body' | 'basic';
  /** What is sent as the scope; `null`: nothing is. */
  readonly scope?: string | null;
  /** Further parameters of the address that browsers are sent to. */
  readonly with?: Params;
  /** `false`: tokens are not renewed; a text: they are, at another address. */
  readonly refresh?: boolean | string;
  /** Further parameters where a code becomes tokens. */
  readonly tokenWith?: Params;
  /** Where the answer with the tokens holds what, and the answer to a renewal. */
  readonly tokenMap?: Params;
  readonly refreshMap?: Params;
  /** The token endpoint takes JSON. */
  readonly json?: true;
}

/** The requests of the authorization code grant, as RFC 6749 has them. */
export function codeFlow(facts: CodeFlowFacts): Flow {
  const { authorize, token, client, scope = '{{scopes}} {{existing_scopes}}', refresh = true } = facts;
  const ofClient: Params =
    client === 'basic' ? {} : { client_id: '{{client_id}}', client_secret: '{{client_secret}}' };
  const how = {
    ...(client === 'basic' ? { auth_method: 'client_secret_basic' as const } : {}),
    ...(facts.json ? { request_content_type: 'application/json' as const } : {}),
  };
  const redirect_uri = '{{redirect_uri}}';
  return {
    authorize_request: {
      endpoint: authorize,
      params: {
        response_type: 'code',
        client_id: '{{client_id}}',
        redirect_uri,
        ...(scope === null ? {} : { scope }),
        ...facts.with,
      },
    },
    token_request: {
      endpoint: token,
      ...how,
      params: { grant_type: 'authorization_code', redirect_uri, ...ofClient, ...facts.tokenWith },
      ...(facts.tokenMap ? { response_map: { ...facts.tokenMap } } : {}),
    },
    ...(refresh === false
      ? {}
      : {
          refresh_request: {
            endpoint: refresh === true ? token : refresh,
            ...how,
            params: { grant_type: 'refresh_token', refresh_token: '{{refresh_token}}', ...ofClient },
            ...(facts.refreshMap ? { response_map: { ...facts.refreshMap } } : {}),
          },
        }),
  };
}

/** Asked with the token, once it is granted. */
export function userInfo(endpoint: string): NonNullable<OAuth2Settings['user_info_request']> {
  return { endpoint, auth_method: 'bearer_access_token', triggers: { on_token_grant: true } };
}

/** RFC 7009. */
export function revocation(
  endpoint: string,
  client: CodeFlowFacts['client'] | 'none',
): NonNullable<OAuth2Settings['revocation_request']> {
  const token = '{{refresh_token}}';
  if (client === 'basic') return { endpoint, auth_method: 'client_secret_basic', params: { token } };
  const ofClient = { client_id: '{{client_id}}', client_secret: '{{client_secret}}' };
  return { endpoint, params: client === 'none' ? { token } : { token, ...ofClient } };
}

export const pkce = { enabled: true, code_challenge_method: 'S256' } as const;
export const noPkce = { enabled: false } as const;

/** One label of a host name: `acme`. */
export const subdomain = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
/** A host name: `acme.example.com`. */
export const hostname = /^(?=.{4,253}$)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$/;
