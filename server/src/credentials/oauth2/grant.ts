import type { OAuth2RequestSettings, OAuth2Settings, TriggeredRequestSettings } from '@sallyport/contracts';
import { err, ok, type Result } from '#foundation';
import type { CodeAnswer, Granted, Problem, Tokens } from '../authority.ts';
import { aboutUserIn, askAboutUser, nobody } from './about-user.ts';
import { introspect } from './introspection.ts';
import { problemOfCode, type Told } from './problems.ts';
import { errorIn, type Send } from './request.ts';
import { grantedScopes } from './scopes.ts';
import { says, type Values } from './template.ts';
import { type TokenAnswer, tokenAnswerOf } from './token-answer.ts';

/** A provider, ready to be asked. */
export interface Known {
  readonly told: Told;
  readonly settings: OAuth2Settings;
  readonly clientSecret: string | null;
  readonly send: Send;
  readonly nowMs: () => number;
}

/** What a code is worth. */
export async function exchangeCode(
  known: Known,
  { code, codeVerifier, redirectUri, scopes }: CodeAnswer,
): Promise<Result<Granted, Problem>> {
  const request = known.settings.token_request;
  const values = { ...valuesOf(known), redirect_uri: redirectUri, scopes };
  const answer = await askForToken(known, request, values, {
    grant_type: 'authorization_code',
    code,
    code_verifier: codeVerifier,
    redirect_uri: says(request, 'redirect_uri') ? null : redirectUri,
  });
  return answer.ok ? await grantedBy(known, answer.value, { scopes, isRenewal: false }) : answer;
}

/** New tokens for a refresh token. */
export async function renewTokens(known: Known, tokens: Tokens): Promise<Result<Granted, Problem>> {
  const request = known.settings.refresh_request;
  const { accessToken, refreshToken, scopes } = tokens;
  if (request === undefined || refreshToken === null)
    return err(problemOfCode(known.told, 'consent_required'));
  const values = {
    ...valuesOf(known),
    redirect_uri: known.told.redirectUri,
    scopes,
    access_token: accessToken,
    refresh_token: refreshToken,
  };
  const answer = await askForToken(known, request, values, {
    grant_type: 'refresh_token',
    refresh_token: says(request, 'refresh_token') ? null : refreshToken,
  });
  return answer.ok ? await grantedBy(known, answer.value, { scopes, isRenewal: true }) : answer;
}

/** Takes them back over there. What does not hold there any more is taken back already. */
export async function revokeTokens(
  known: Known,
  { accessToken, refreshToken }: Tokens,
): Promise<Result<'revoked' | 'unsupported', Problem>> {
  const request = known.settings.revocation_request;
  if (request === undefined) return ok('unsupported');
  const values = {
    ...valuesOf(known),
    access_token: accessToken,
    refresh_token: refreshToken ?? accessToken,
  };
  const isSaid =
    request.auth_method === 'bearer_access_token' ||
    says(request, 'access_token') ||
    says(request, 'refresh_token');
  const answered = await known.send({
    told: known.told,
    settings: request,
    method: request.method ?? 'POST',
    authMethod: request.auth_method ?? '',
    values,
    also: { token: isSaid ? null : values.refresh_token, ...clientOf(known, request) },
  });
  if (!answered.ok) return answered;
  const problem = errorIn(known.told, answered.value);
  const isOver = request.auth_method === 'bearer_access_token' && answered.value.status === 401;
  if (problem === null || problem.kind === 'consent' || isOver) return ok('revoked');
  return problem.code === 'unsupported_token_type' ? ok('unsupported') : err(problem);
}

async function askForToken(
  known: Known,
  request: OAuth2RequestSettings,
  values: Values,
  also: Readonly<Record<string, string | null>>,
): Promise<Result<TokenAnswer, Problem>> {
  const answered = await known.send({
    told: known.told,
    settings: request,
    method: request.method ?? 'POST',
    authMethod: request.auth_method ?? '',
    values,
    also: { ...also, ...clientOf(known, request) },
  });
  return answered.ok ? tokenAnswerOf(known.told, request, answered.value, known.nowMs()) : answered;
}

function valuesOf({ settings, clientSecret }: Known) {
  const delimiter = settings.scope_delimiter ?? ' ';
  return { client_id: settings.client_id, client_secret: clientSecret, delimiter } as const;
}

/** The client says who it is once: in the header, in what the settings send, or here. */
function clientOf(
  { settings, clientSecret }: Known,
  request: OAuth2RequestSettings,
): Record<string, string | null> {
  const isInHeader = request.auth_method === 'client_secret_basic' && clientSecret !== null;
  return { client_id: isInHeader || says(request, 'client_id') ? null : settings.client_id };
}

async function grantedBy(
  known: Known,
  answer: TokenAnswer,
  { scopes: asked, isRenewal }: { readonly scopes: readonly string[]; readonly isRenewal: boolean },
): Promise<Result<Granted, Problem>> {
  const { told } = known;
  const { accessToken, refreshToken } = answer;
  const values = { ...valuesOf(known), access_token: accessToken, refresh_token: refreshToken };
  const introspected = await introspectedOf(known, values, isRenewal);
  const about = await userBehind(known, values, answer.body, isRenewal);
  // A renewal is not given up for this: its refresh token may be the only one that still holds.
  if (!introspected.ok && !isRenewal) return introspected;
  if (!about.ok && !isRenewal) return about;
  const said = introspected.ok ? introspected.value : nothing;
  const scopes = said.scopes ?? answer.scopes;
  const implied = told.provider.known?.impliedScopes ?? {};
  return ok({
    accessToken,
    refreshToken,
    expiresAtMs: said.expiresAtMs ?? answer.expiresAtMs,
    scopes:
      scopes === null ? null : grantedScopes(scopes, asked, implied, refreshToken !== null || isRenewal),
    ...(about.ok ? about.value : nobody),
  });
}

const nothing = { expiresAtMs: null, scopes: null };

function introspectedOf(known: Known, values: Values, isRenewal: boolean) {
  const request = known.settings.token_introspection_request;
  if (request === undefined || !isTriggered(request, isRenewal)) return ok(nothing);
  return introspect(known.send, known.told, request, values, known.nowMs());
}

function userBehind(known: Known, values: Values, tokenBody: object, isRenewal: boolean) {
  const { user_info_request: request, account } = known.settings;
  if (request !== undefined && isTriggered(request, isRenewal)) {
    return askAboutUser(known.send, known.told, { request, account, values, tokenBody });
  }
  return ok(isRenewal ? nobody : aboutUserIn(tokenBody, account));
}

/** Of a grant unless something else is said. */
function isTriggered({ triggers }: TriggeredRequestSettings, isRenewal: boolean): boolean {
  return isRenewal
    ? triggers?.on_token_refresh === true
    : (triggers?.on_token_grant ?? triggers === undefined);
}
