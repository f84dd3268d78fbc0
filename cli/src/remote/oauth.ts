import { z } from 'zod';
import { CommandError } from '../command-error.ts';
import { parsedJson } from '../files/values.ts';
import type { Io } from '../output/io.ts';
import type { Tokens } from './profiles.ts';
import { send } from './send.ts';
import { refusedBy } from './server-refusal.ts';
import { isSameServer } from './server-url.ts';

/** Signing in by a device code (RFC 8628): the browser may be on another machine. */

/** Known to every Sallyport. */
const clientId = 'sallyport-cli';
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
const timeoutMs = 30_000;

type OAuthIo = Pick<Io, 'fetch' | 'signal' | 'sleep' | 'now'>;

const metadata = z.object({
  issuer: z.string(),
  token_endpoint: z.string(),
  device_authorization_endpoint: z.string().optional(),
  revocation_endpoint: z.string().optional(),
});

export interface SignInServer {
  readonly issuer: string;
  readonly clientId: string;
  readonly tokenEndpoint: string;
  readonly deviceEndpoint: string;
  readonly revocationEndpoint?: string;
}

/** Where people sign in by a code; `null` where this server does not offer it. */
export async function signInServerOf(io: OAuthIo, url: string): Promise<SignInServer | null> {
  const address = `${url}/.well-known/oauth-authorization-server`;
  const incoming = await send(io, { method: 'GET', url: address, timeoutMs });
  const told = incoming.status === 200 ? metadata.safeParse(parsedJson(incoming.text)) : null;
  if (told?.success !== true || told.data.device_authorization_endpoint === undefined) return null;
  const {
    issuer,
    token_endpoint,
    device_authorization_endpoint: deviceEndpoint,
    revocation_endpoint,
  } = told.data;
  const endpoints = [issuer, token_endpoint, deviceEndpoint, revocation_endpoint ?? issuer];
  if (!endpoints.every((endpoint) => URL.canParse(endpoint) && isSameServer(endpoint, url))) {
    throw new CommandError(
      'remote.issuer_differs',
      `the server at ${url} calls itself ${issuer}, where people sign in`,
      [`Sign in there: sallyport login ${issuer}`],
    );
  }
  return {
    issuer,
    clientId,
    tokenEndpoint: token_endpoint,
    deviceEndpoint,
    ...(revocation_endpoint === undefined ? {} : { revocationEndpoint: revocation_endpoint }),
  };
}

const deviceAnswer = z.object({
  device_code: z.string(),
  user_code: z.string(),
  verification_uri: z.url({ protocol: /^https?$/ }),
  verification_uri_complete: z.url({ protocol: /^https?$/ }).optional(),
  expires_in: z.number(),
  interval: z.number().optional(),
});
const tokenAnswer = z.object({
  access_token: z.string(),
  refresh_token: z.string().optional(),
  expires_in: z.number().optional(),
});
const oauthError = z.object({ error: z.string(), error_description: z.string().optional() });

export interface DeviceCode {
  readonly userCode: string;
  readonly page: string;
  /** With the code in it. */
  readonly link: string;
}

/** Asks for a code, shows it, and waits until a person has said yes. `resource`: what the tokens are for. */
export async function signInByCode(
  io: OAuthIo,
  server: SignInServer,
  resource: string,
  show: (code: DeviceCode) => void,
): Promise<Tokens> {
  const scope = resource.endsWith('/v1') ? 'openid offline_access' : 'openid offline_access mcp';
  const begun = await form(io, server.deviceEndpoint, { client_id: server.clientId, scope, resource });
  const code = deviceAnswer.safeParse(begun.body);
  if (!code.success) throw refusedSignIn(begun.error, server.issuer);
  const { device_code, user_code, verification_uri, verification_uri_complete, expires_in } = code.data;
  show({
    userCode: user_code,
    page: verification_uri,
    link: verification_uri_complete ?? verification_uri,
  });
  let intervalS = Math.max(1, code.data.interval ?? 5);
  for (let waitedS = 0; waitedS < expires_in; waitedS += intervalS) {
    await io.sleep(intervalS * 1000, io.signal);
    const polled = await form(io, server.tokenEndpoint, {
      grant_type: deviceGrant,
      device_code,
      client_id: server.clientId,
    });
    const given = tokenAnswer.safeParse(polled.body);
    if (given.success) return tokensOf(given.data, io.now());
    if (polled.error?.error === 'slow_down') intervalS += 5;
    else if (polled.error?.error !== 'authorization_pending')
      throw refusedSignIn(polled.error, server.issuer);
  }
  throw refusedSignIn({ error: 'expired_token' }, server.issuer);
}

/** Tokens in exchange for older ones, which are worth nothing from then on. */
export async function renewed(
  io: OAuthIo,
  tokenEndpoint: string,
  client: string,
  refreshToken: string,
): Promise<Tokens | null> {
  const answer = await form(io, tokenEndpoint, {
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: client,
  });
  const given = tokenAnswer.safeParse(answer.body);
  if (given.success) return { refresh_token: refreshToken, ...tokensOf(given.data, io.now()) };
  if (answer.error?.error === 'invalid_grant') return null;
  throw refusedSignIn(answer.error, new URL(tokenEndpoint).origin);
}

/** Ends the sign-in there (RFC 7009). */
export async function revoked(io: OAuthIo, endpoint: string, client: string, token: string): Promise<void> {
  await form(io, endpoint, { token, client_id: client });
}

function tokensOf(
  { access_token, refresh_token, expires_in = 300 }: z.infer<typeof tokenAnswer>,
  nowMs: number,
) {
  return {
    access_token,
    ...(refresh_token === undefined ? {} : { refresh_token }),
    expires_at_ms: nowMs + expires_in * 1000,
  };
}

interface FormAnswer {
  readonly body: unknown;
  readonly error: z.infer<typeof oauthError> | undefined;
}

async function form(io: OAuthIo, url: string, fields: Record<string, string>): Promise<FormAnswer> {
  const incoming = await send(io, {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
    timeoutMs,
  });
  const body = parsedJson(incoming.text);
  if (incoming.status === 200) return { body, error: undefined };
  const error = oauthError.safeParse(body);
  if (!error.success) throw refusedBy(new URL(url).origin, incoming);
  return { body: undefined, error: error.data };
}

function refusedSignIn(error: z.infer<typeof oauthError> | undefined, issuer: string): CommandError {
  const code = error?.error ?? 'invalid_answer';
  const told = ended[code] ?? `${issuer} refused the sign-in: ${error?.error_description ?? code}`;
  return new CommandError('remote.sign_in_refused', told, ['Begin again: sallyport login']);
}

const ended: Readonly<Record<string, string>> = {
  access_denied: 'it was not allowed in the browser',
  expired_token: 'nobody confirmed the code in time',
};
