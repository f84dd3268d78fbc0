import { randomBytes } from 'node:crypto';
import { decodeJwt, type JWTPayload } from 'jose';

/** What a company's identity provider exchanges for other tokens, and for whom; a test sets it while it runs. */
export interface IdpExchange {
  /** Clients beside its own, with their secrets. */
  readonly clients: Map<string, string>;
  /** Whom tokens may be for. */
  readonly audiences: Set<string>;
  /** Authorization servers for which it gives identity assertions, and as whom its own client is known there. */
  readonly assertionsFor: Map<string, string>;
  lifeS: number;
  /** What it answers instead. */
  error: { readonly status: number; readonly error: string; readonly error_description?: string } | null;
  /** What came, and all that was given for it. */
  readonly requests: URLSearchParams[];
  readonly given: string[];
}

export interface ExchangeDeps {
  readonly issuer: () => string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Its own access tokens: whose they are. */
  readonly subjects: ReadonlyMap<string, string>;
  /** A token of its own; fails for any other. */
  readonly verify: (token: string, audience: string) => Promise<JWTPayload>;
  readonly sign: (claims: Record<string, unknown>, header?: Record<string, unknown>) => Promise<string>;
  readonly now: () => number;
}

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

const grants = {
  exchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
  jwtBearer: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
};
const type = 'urn:ietf:params:oauth:token-type:';

class Refused extends Error {}

/** The token endpoint's exchanges: RFC 8693, on-behalf-of as Entra does it, identity assertions (ID-JAG). */
export function createIdpExchange(deps: ExchangeDeps) {
  const exchange: IdpExchange = {
    clients: new Map(),
    audiences: new Set(),
    assertionsFor: new Map(),
    lifeS: 600,
    error: null,
    requests: [],
    given: [],
  };

  function clientOf(form: URLSearchParams, authorization: string | undefined): string {
    const basic = /^Basic (.+)$/.exec(authorization ?? '')?.[1];
    const pair = basic === undefined ? null : Buffer.from(basic, 'base64').toString().split(':');
    const [id, secret] = (pair?.map(decodeURIComponent) ?? [
      form.get('client_id'),
      form.get('client_secret'),
    ]) as [string, string];
    const known = id === deps.clientId ? deps.clientSecret : exchange.clients.get(id);
    if (known === undefined || known !== secret) throw new Refused('invalid_client');
    return id;
  }

  /** Whose token it is; it must be one that this client was given, or was meant for. */
  async function subjectOf(token: string, kind: string, client: string): Promise<string> {
    const sub = kind === 'access_token' ? deps.subjects.get(token) : undefined;
    if (sub !== undefined) return sub;
    if (kind === 'access_token') throw new Refused('invalid_grant');
    const { sub: named } = await deps.verify(token, client).catch(() => {
      throw new Refused('invalid_grant');
    });
    return String(named);
  }

  async function give(
    claims: Record<string, unknown>,
    header: Record<string, unknown> = {},
  ): Promise<string> {
    const iat = Math.floor(deps.now() / 1000);
    const jti = randomBytes(12).toString('hex');
    const token = await deps.sign(
      { iss: deps.issuer(), iat, exp: iat + exchange.lifeS, jti, ...claims },
      header,
    );
    exchange.given.push(token);
    return token;
  }

  async function exchanged(form: URLSearchParams, client: string): Promise<Record<string, unknown>> {
    const kind = (form.get('subject_token_type') ?? '').replace(type, '');
    const sub = await subjectOf(form.get('subject_token') ?? '', kind, client);
    const audience = form.get('audience') ?? '';
    const scope = form.get('scope') ?? '';
    if (form.get('requested_token_type') !== `${type}id-jag`) {
      if (!exchange.audiences.has(audience)) throw new Refused('invalid_target');
      const access_token = await give({ sub, aud: audience, azp: client, scope });
      return {
        access_token,
        issued_token_type: `${type}access_token`,
        token_type: 'Bearer',
        expires_in: exchange.lifeS,
      };
    }
    if (kind !== 'id_token') throw new Refused('invalid_request');
    const knownAs = exchange.assertionsFor.get(audience);
    if (knownAs === undefined) throw new Refused('invalid_target');
    const resource = form.get('resource') ?? undefined;
    const { email, email_verified } = decodeJwt(form.get('subject_token') ?? '');
    const claims = { sub, email, email_verified, aud: audience, client_id: knownAs, resource, scope };
    const access_token = await give(claims, { typ: 'oauth-id-jag+jwt' });
    return { access_token, issued_token_type: `${type}id-jag`, token_type: 'N_A', expires_in: 300 };
  }

  async function onBehalfOf(form: URLSearchParams, client: string): Promise<Record<string, unknown>> {
    if (form.get('requested_token_use') !== 'on_behalf_of') throw new Refused('invalid_request');
    const sub = await subjectOf(form.get('assertion') ?? '', 'access_token', client);
    const scope = form.get('scope') ?? '';
    const audience = scope.slice(0, scope.lastIndexOf('/'));
    if (!exchange.audiences.has(audience)) throw new Refused('invalid_grant');
    const access_token = await give({ sub, aud: audience, azp: client, scp: scope });
    return { access_token, token_type: 'Bearer', expires_in: exchange.lifeS, scope };
  }

  return {
    exchange,
    /** `null`: it is another grant. */
    async answer(body: string, authorization: string | undefined): Promise<Answer | null> {
      const form = new URLSearchParams(body);
      const grant = form.get('grant_type');
      if (grant !== grants.exchange && grant !== grants.jwtBearer) return null;
      exchange.requests.push(form);
      if (exchange.error !== null) {
        const { status, ...error } = exchange.error;
        return { status, body: error };
      }
      try {
        const client = clientOf(form, authorization);
        const given = await (grant === grants.exchange ? exchanged(form, client) : onBehalfOf(form, client));
        return { status: 200, body: given };
      } catch (refused) {
        if (!(refused instanceof Refused)) throw refused;
        const status = refused.message === 'invalid_client' ? 401 : 400;
        return { status, body: { error: refused.message, error_description: 'as it must' } };
      }
    },
  };
}
