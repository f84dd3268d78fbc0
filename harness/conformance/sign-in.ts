import { createBrowser } from '../../server/test/browser.ts';
import { type IdentityProvider, startIdentityProvider } from '../../server/test/identity-provider.ts';

/** The issuer at which people sign in while the authorization server is tested. */
export async function startIssuer(): Promise<IdentityProvider & { readonly asUserSource: object }> {
  const issuer = await startIdentityProvider();
  const asUserSource = {
    id: 'company',
    name: 'Company',
    issuer: issuer.issuer,
    client_id: issuer.clientId,
    client_secret: issuer.clientSecret,
  };
  return { ...issuer, asUserSource };
}

/** Registers the suite's client, as any client may. */
export async function registerClient(origin: string, redirectUri: string): Promise<string> {
  const answer = await fetch(`${origin}/oauth2/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Conformance',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
    }),
  });
  const { client_id: clientId } = (await answer.json()) as { client_id?: string };
  if (clientId === undefined) throw new Error(`the client was not registered: HTTP ${answer.status}`);
  return clientId;
}

/** What a person does at the address that the suite prints: signs in at the issuer, and allows the client. */
export async function signInAndAllow(url: string, issuer: IdentityProvider): Promise<void> {
  const browser = createBrowser();
  const back = await issuer.signIn(url, 'alice', browser);
  const asked = await browser.open(back);
  await browser.submit(asked, { button: 'Allow' });
}
