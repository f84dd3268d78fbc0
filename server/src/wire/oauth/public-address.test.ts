import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '#foundation';
import { silentLog } from '#telemetry';
import { createOriginPolicy } from '../http/origin.ts';
import { type HttpServer, listen } from '../http/server.ts';
import { begin, createBrowser, type OAuthServer, startOAuthServer } from './fixtures/oauth-server.ts';
import { createOAuth } from './oauth.ts';

const issuer = 'https://tools.example.com';
const redirectUri = 'https://client.example/callback';
let server: OAuthServer;
let listening: HttpServer;

before(async () => {
  server = await startOAuthServer();
  await server.newGateway('demo');
  const { rooms } = server.app;
  const oauth = createOAuth({ ...rooms, clock: systemClock, log: silentLog, issuer: () => issuer });
  listening = await listen('127.0.0.1', 0, {
    mcp: null,
    rest: null,
    more: oauth.fronts,
    readiness: async () => ({ ready: true, checks: {} }),
    metrics: { read: async () => [], token: null },
    answered() {},
    version: '0.0.0',
    origins: createOriginPolicy({ bindHost: '127.0.0.1', publicUrl: issuer }),
  });
});
after(async () => {
  await listening.close(0);
  await server.close();
});

/** As a proxy that ends TLS passes it on, to the address at which the server really listens. */
async function local(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return await fetch(path.replace(issuer, listening.url), { headers, redirect: 'manual' });
}

async function newClient(): Promise<string> {
  const response = await fetch(`${listening.url}/oauth2/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' }),
  });
  return ((await response.json()) as { client_id: string }).client_id;
}

describe('behind a public https address', () => {
  it('everything has that name, by whatever way a request came', async () => {
    for (const headers of [{}, { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' }]) {
      const metadata = await (
        await local(`${issuer}/.well-known/oauth-authorization-server`, headers)
      ).text();
      assert.ok(!/127\.0\.0\.1|localhost|http:|evil/.test(metadata), metadata);
      const path = '/.well-known/oauth-protected-resource/mcp/demo';
      const resource = (await (await local(issuer + path, headers)).json()) as { resource: string };
      assert.equal(resource.resource, `${issuer}/mcp/demo`);
    }
  });

  it('every cookie is __Host-, Secure, HttpOnly and SameSite', async () => {
    const { url } = begin(issuer, {
      clientId: await newClient(),
      redirectUri,
      resource: `${issuer}/mcp/demo`,
    });
    const begun = await local(url, { 'x-forwarded-proto': 'http' });
    assert.equal(begun.status, 303);
    const cookies = begun.headers.getSetCookie();
    assert.equal(cookies.length, 1);
    const form =
      '__Host-sallyport_authorization_[\\w-]+=[\\w-]+; Path=/; Max-Age=1800; HttpOnly; SameSite=Lax; Secure';
    assert.match(cookies[0] ?? '', new RegExp(`^${form}$`));
  });

  it('a cookie without __Host- says nothing: a neighbour may have set it', async () => {
    const { identity } = server.app.rooms;
    const link = {
      organizationId: 'default',
      projectId: '',
      sourceId: '',
      issuer: 'link',
      subject: 'a@b.example',
    };
    const said = { ...link, userId: 'a@b.example', email: 'a@b.example', name: '', groups: [], claims: {} };
    const person = await identity.people.signedIn(said);
    assert.ok(person.ok);
    await identity.people.setRole(
      person.value.id,
      { organizationId: 'default', projectId: 'default' },
      'member',
    );
    const { cookie } = await identity.signIns.start(person.value.id, said, '');
    const clientId = await newClient();
    await identity.consents.give(person.value.id, clientId, await gatewayId(), ['openid', 'mcp']);
    const { url } = begin(issuer, { clientId, redirectUri, resource: `${issuer}/mcp/demo` });
    const sentTo = async (name: string) =>
      (await local(url, { cookie: `${name}=${cookie}` })).headers.get('location');
    assert.match((await sentTo('sallyport_sign_in')) ?? '', /interaction/);
    const back = new URL((await sentTo('__Host-sallyport_sign_in')) ?? '');
    assert.equal(back.hostname, 'client.example');
    assert.equal(back.searchParams.get('iss'), issuer);
  });

  it('a loopback name is none of ours', async () => {
    const browser = createBrowser(listening.url);
    const asked = { clientId: await newClient(), redirectUri, resource: `${listening.url}/mcp/demo` };
    const { url } = begin(issuer, asked);
    const response = await browser.get(url.replace(issuer, listening.url));
    assert.equal(response.headers.get('location'), null);
    assert.match(await response.text(), /invalid_target/);
  });
});

async function gatewayId(): Promise<string> {
  const { catalog } = server.app.rooms;
  return catalog.view('demo')?.gateway.id ?? '';
}
