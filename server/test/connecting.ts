import assert from 'node:assert/strict';
import { type Browser, createBrowser, type Page } from './browser.ts';
import { type IdentityProvider, startIdentityProvider } from './identity-provider.ts';
import { type StandIn, startGitHub, startPlain } from './oauth-providers/index.ts';
import { type SigningIn, signInAt, startSigningIn } from './signing-in.ts';
import type { Json } from './start-app.ts';

/** The whole server with an issuer of the company, and two providers at which its users have accounts. */
export interface Connecting {
  readonly signing: SigningIn;
  readonly url: string;
  readonly github: StandIn;
  /** By the book: with PKCE. */
  readonly plain: StandIn;
  /** Asks for an authorization by an API key that vouches for the user. */
  authorize(userId: string, more?: Asking): Promise<Json>;
  /** The same; only the address that the user opens. */
  link(userId: string, more?: Asking): Promise<string>;
  status(id: string): Promise<Json>;
  /** What is kept for anybody. */
  connections(): Promise<Json[]>;
  /** Registers a provider. */
  provider(request: object): Promise<void>;
  /** A browser in which somebody has signed in. */
  signedIn(login: string): Promise<Browser>;
  close(): Promise<void>;
}

export interface Asking {
  readonly provider?: string;
  readonly scopes?: readonly string[];
  readonly nextUri?: string;
}

export async function startConnecting(config = ''): Promise<Connecting> {
  const signing = await startSigningIn(config);
  const [github, plain] = await Promise.all([startGitHub(), startPlain()]);
  const { api, url } = signing.server;

  async function provider(request: object): Promise<void> {
    const made = await api('POST', '/v1/admin/auth_providers', request);
    assert.ok(made.ok, await made.text());
  }
  for (const standIn of [github, plain]) {
    standIn.redirectUris.add(`${url}/connect/callback/default/providers/${standIn.name}`);
    const description = `Stand-in ${standIn.name}`;
    await provider({ id: standIn.name, type: 'oauth2', description, oauth2: standIn.settings });
  }

  async function authorize(
    userId: string,
    { provider: id = 'github', scopes = ['repo'], nextUri }: Asking = {},
  ): Promise<Json> {
    const asked = await api('POST', '/v1/auth/authorize', {
      auth_requirement: { id, oauth2: { scopes } },
      user_id: userId,
      ...(nextUri === undefined ? {} : { next_uri: nextUri }),
    });
    const answer = (await asked.json()) as Json;
    assert.equal(asked.status, 200, JSON.stringify(answer));
    return answer;
  }

  return {
    signing,
    url,
    github,
    plain,
    authorize,
    provider,
    link: async (userId, more) => (await authorize(userId, more)).url,
    status: async (id) => await (await api('GET', `/v1/auth/status?id=${id}`)).json(),
    async connections() {
      const listed = await api('GET', '/v1/admin/user_connections');
      return ((await listed.json()) as Json).items;
    },
    async signedIn(login) {
      const browser = createBrowser();
      const page = await browser.open(`${url}/oauth2/sign_in/default/corp`);
      const own = await signInAt(browser, page, login);
      assert.match(own.text, /You are signed in as/);
      return browser;
    },
    async close() {
      await signing.close();
      await github.close();
      await plain.close();
    },
  };
}

/** From our page to that of the provider, which asks. */
export async function toProvider(browser: Browser, link: string): Promise<Page> {
  const page = await browser.open(link);
  return page.forms.some(({ action }) => action.includes('/connect/')) ? await browser.submit(page) : page;
}

/** The answer of a provider where the user allowed it, before the browser brings it to us. */
export async function answerOf(browser: Browser, link: string, login = 'ann'): Promise<URL> {
  const asking = await toProvider(browser, link);
  const stopAt = (url: URL) => url.pathname.startsWith('/connect/callback/');
  const page = await browser.submit(asking, { button: 'Allow', fields: { login }, stopAt });
  return new URL(page.url);
}

/** Another issuer of the company, that knows this one user. Who closes it takes the source away, too. */
export async function addIssuer(
  { signing }: Connecting,
  login: string,
): Promise<Pick<IdentityProvider, 'close'>> {
  const email = `${login}@example.com`;
  const idp = await startIdentityProvider({
    users: { [login]: { sub: `sub-of-${login}`, email, name: login } },
  });
  const { issuer, clientId, clientSecret: secret } = idp;
  const id = `of-${login}`;
  await signing.addSource(id, {
    ...{ name: `Company of ${login}`, issuer, clientId },
    clientAuth: { by: 'secret', secret },
  });
  return {
    async close() {
      await signing.server.app.rooms.identity.userSources.remove('default', id);
      await idp.close();
    },
  };
}
