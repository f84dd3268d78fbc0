import { createHash, randomBytes } from 'node:crypto';
import type { UserSource } from '#identity';
import { type Browser, createBrowser, type Page } from './browser.ts';
import { type IdentityProvider, type IdpOptions, startIdentityProvider } from './identity-provider.ts';
import { type Json, startApp, type TestApp } from './start-app.ts';

/** The whole server with an issuer of the company, and a client that waits for its answer at a place on loopback. */
export interface SigningIn {
  readonly server: TestApp;
  readonly idp: IdentityProvider;
  readonly source: UserSource;
  /** Another source, of the same issuer unless told. */
  addSource(id: string, changes?: Partial<UserSource>): Promise<UserSource>;
  /** Registers a client, and says where it would send the browser to use this gateway. */
  authorization(slug: string, client?: object, parameters?: Record<string, string>): Promise<Authorization>;
  close(): Promise<void>;
}

export interface Authorization {
  readonly url: string;
  readonly clientId: string;
  readonly state: string;
  /** Exchanges a code; the answer of the token endpoint. */
  token(code: string): Promise<Json>;
}

export const clientCallback = 'http://127.0.0.1:7777/callback';

export async function startSigningIn(config: string, idpOptions: IdpOptions = {}): Promise<SigningIn> {
  const idp = await startIdentityProvider(idpOptions);
  const server = await startApp(`egress: { allow: [127.0.0.0/8] }\n${config}`);

  async function addSource(id: string, changes: Partial<UserSource> = {}): Promise<UserSource> {
    const made = await server.app.rooms.identity.userSources.create({
      id,
      projectId: 'default',
      name: `Company ${id}`,
      description: '',
      issuer: idp.issuer,
      preset: null,
      clientId: idp.clientId,
      clientAuth: { by: 'secret', secret: idp.clientSecret },
      scopes: ['openid', 'profile', 'email'],
      userClaim: 'sub',
      groupsClaim: 'groups',
      groupsRequired: false,
      allowedDomains: [],
      newPeople: 'member',
      assertionClients: [],
      status: 'active',
      ...changes,
    });
    if (!made.ok) throw new Error(made.error.message);
    return made.value;
  }

  const source = await addSource('corp');
  return {
    server,
    idp,
    source,
    addSource,
    async authorization(slug, client = {}, parameters = {}) {
      const registered = await fetch(`${server.url}/oauth2/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          client_name: 'Test client',
          redirect_uris: [clientCallback],
          token_endpoint_auth_method: 'none',
          application_type: 'native',
          ...client,
        }),
      });
      const { client_id: clientId, redirect_uris: [redirectUri] = [] } = (await registered.json()) as Json;
      const verifier = randomBytes(32).toString('base64url');
      const state = randomBytes(8).toString('hex');
      const resource = `${server.url}/mcp/${slug}`;
      const url = new URL(`${server.url}/oauth2/authorize`);
      url.search = new URLSearchParams({
        client_id: clientId,
        response_type: 'code',
        redirect_uri: redirectUri,
        resource,
        state,
        scope: 'openid mcp offline_access',
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
        ...parameters,
      }).toString();
      return {
        url: url.href,
        clientId,
        state,
        async token(code) {
          const answer = await fetch(`${server.url}/oauth2/token`, {
            method: 'POST',
            body: new URLSearchParams({
              grant_type: 'authorization_code',
              client_id: clientId,
              code,
              redirect_uri: redirectUri,
              resource,
              code_verifier: verifier,
            }),
          });
          return await answer.json();
        },
      };
    },
    async close() {
      await server.close();
      await idp.close();
    },
  };
}

/**
 * At the issuer's own page, signs in as this user; ends at a page of ours, or where the client waits. Whoever is there already, because
 * the issuer knows the browser or refuses it, stays.
 */
export async function signInAt(browser: Browser, page: Page, login: string): Promise<Page> {
  if (!page.forms.some(({ buttons }) => buttons.some(({ text }) => text === login))) return page;
  return await browser.submit(page, { button: login, stopAt: clientCallback });
}

/** A new browser, from the client's first address to our consent page. */
export async function toConsent(url: string, login = 'alice', browser = createBrowser()) {
  const atIssuer = await browser.open(url, { stopAt: clientCallback });
  const page = await signInAt(browser, atIssuer, login);
  return { browser, page };
}
