import type { TokenExchangeSettings } from '@sallyport/contracts';
import { isMembers, type Result } from '#foundation';
import type { Problem } from '../authority.ts';
import type { Told } from '../oauth2/problems.ts';
import type { Send } from '../oauth2/request.ts';
import { type TokenAnswer, tokenAnswerOf } from '../oauth2/token-answer.ts';
import type { Subject } from './contract.ts';

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

export interface ExchangeRequest {
  readonly told: Told;
  readonly settings: TokenExchangeSettings;
  readonly clientSecret: string | null;
  readonly subject: Pick<Subject, 'token' | 'kind'>;
  readonly scopes: readonly string[];
}

/** One token for another, at the token endpoint of the settings. */
export async function exchangeAt(
  send: Send,
  request: ExchangeRequest,
  nowMs: number,
): Promise<Result<TokenAnswer, Problem>> {
  const { told, settings, clientSecret } = request;
  const endpoint = { endpoint: settings.token_endpoint };
  const method = clientSecret === null ? 'none' : (settings.auth_method ?? 'client_secret_basic');
  const inHeader = method === 'client_secret_basic';
  const client = {
    ...(inHeader ? {} : { client_id: settings.client_id }),
    ...(method === 'client_secret_post' ? { client_secret: clientSecret } : {}),
  };
  const answered = await send({
    told,
    settings: endpoint,
    method: 'POST',
    authMethod: inHeader ? 'client_secret_basic' : '',
    values: { client_id: settings.client_id, client_secret: clientSecret, delimiter: ' ' },
    also: { ...settings.params, ...paramsOf(request), ...client },
  });
  return answered.ok ? tokenAnswerOf(told, endpoint, withBearer(answered.value), nowMs) : answered;
}

function paramsOf({ settings, subject, scopes }: ExchangeRequest): Record<string, string | null> {
  const scope = scopes.join(settings.scope_delimiter ?? ' ');
  const { audience = null, resource = null } = settings;
  if (settings.profile === 'rfc8693') {
    return {
      grant_type: tokenExchange,
      subject_token: subject.token,
      subject_token_type: `urn:ietf:params:oauth:token-type:${subject.kind}`,
      requested_token_type: settings.requested_token_type ?? null,
      ...{ audience, resource, scope },
    };
  }
  if (settings.profile === 'entra_obo') {
    return {
      grant_type: jwtBearer,
      assertion: subject.token,
      requested_token_use: 'on_behalf_of',
      scope,
    };
  }
  return { grant_type: jwtBearer, assertion: subject.token, scope, resource };
}

/** RFC 8693: what is no access token, but serves as one over there, comes with the type `N_A`. */
function withBearer<Answer extends { readonly body: unknown }>(answered: Answer): Answer {
  const { body } = answered;
  if (!isMembers(body) || String(body.token_type).toUpperCase() !== 'N_A') return answered;
  return { ...answered, body: { ...body, token_type: 'Bearer' } };
}
