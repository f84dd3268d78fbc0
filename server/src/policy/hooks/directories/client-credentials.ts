import { err, isMembers, ok, type Result } from '#foundation';
import { type DirectoryDeps, fetchJson, type JsonAnswer } from './directory.ts';

const earlierMs = 60_000;
const defaultLifeSeconds = 300;

interface Client {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope?: string;
}

/** Requests with a token of OAuth's client credentials, which is kept as long as it lives, and fetched anew where it is refused. */
export function createTokenFetch(deps: DirectoryDeps, client: Client) {
  const { clock } = deps;
  let token: { readonly value: string; readonly untilMs: number } | null = null;

  async function tokenNow(): Promise<Result<string, string>> {
    if (token !== null && clock.now() < token.untilMs) return ok(token.value);
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: client.clientId,
      client_secret: client.clientSecret,
      ...(client.scope === undefined ? {} : { scope: client.scope }),
    });
    const answer = await fetchJson(deps, {
      method: 'POST',
      url: client.tokenUrl,
      headers: 'content-type: application/x-www-form-urlencoded\r\naccept: application/json\r\n',
      body: form.toString(),
    });
    if (!answer.ok) return answer;
    const { status, value } = answer.value;
    const given = isMembers(value) ? value.access_token : undefined;
    if (typeof given !== 'string' || !/^[\x21-\x7e]+$/.test(given))
      return err(`the directory gave no token${status === 200 ? '' : ` (HTTP ${status})`}`);
    const life = isMembers(value) ? Number(value.expires_in) : Number.NaN;
    const lifeMs = (Number.isFinite(life) && life > 0 ? life : defaultLifeSeconds) * 1000;
    token = { value: given, untilMs: clock.now() + Math.max(0, lifeMs - earlierMs) };
    return ok(given);
  }

  async function once(request: { method: 'GET' | 'POST'; url: string; body?: string }) {
    const bearer = await tokenNow();
    if (!bearer.ok) return bearer;
    const type = request.body === undefined ? '' : 'content-type: application/json\r\n';
    const headers = `authorization: Bearer ${bearer.value}\r\naccept: application/json\r\n${type}`;
    return fetchJson(deps, { ...request, headers });
  }

  return async (request: Parameters<typeof once>[0]): Promise<Result<JsonAnswer, string>> => {
    const answer = await once(request);
    if (!answer.ok || answer.value.status !== 401) return answer;
    token = null;
    const again = await once(request);
    return again.ok && again.value.status === 401 ? err('the directory refuses the credentials') : again;
  };
}
