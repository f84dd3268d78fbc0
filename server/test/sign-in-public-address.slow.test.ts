import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '#foundation';
import { silentLog } from '#telemetry';
import { createOAuth, createOriginPolicy, createSignIn, type HttpServer, listen } from '#wire';
import { startApp, type TestApp } from './start-app.ts';

const issuer = 'https://tools.example.com';
let app: TestApp;
let listening: HttpServer;

before(async () => {
  app = await startApp('gateways: []');
  const deps = { ...app.app.rooms, clock: systemClock, log: silentLog, issuer: () => issuer };
  listening = await listen('127.0.0.1', 0, {
    mcp: null,
    rest: null,
    more: createSignIn({ ...deps, ...createOAuth(deps) }),
    readiness: async () => ({ ready: true, checks: {} }),
    metrics: { read: async () => [], token: null },
    answered() {},
    version: '0.0.0',
    origins: createOriginPolicy({ bindHost: '127.0.0.1', publicUrl: issuer }),
  });
});
after(async () => {
  await listening.close(0);
  await app.close();
});

const safe = /^__Host-sallyport_\w+=[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Secure$/;

/** As a proxy that ends TLS passes it on; `headers` are what the browser, or somebody else, says. */
async function use(fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
  const page = await fetch(`${listening.url}/oauth2/link`);
  const [cookie = ''] = page.headers.getSetCookie();
  assert.match(cookie, safe);
  const form_token = /name="form_token" value="([^"]+)"/.exec(await page.text())?.[1] ?? '';
  return await fetch(`${listening.url}/oauth2/link`, {
    method: 'POST',
    headers: { cookie: cookie.split(';')[0] as string, origin: issuer, ...headers },
    body: new URLSearchParams({ form_token, ...fields }),
  });
}

async function newLink(): Promise<string> {
  const { token } = await app.app.rooms.identity.people.createLink(
    {
      kind: 'sign_in',
      organizationId: 'default',
      projectId: '',
      email: 'owner@example.com',
      role: 'owner',
      expiresAt: new Date(Date.now() + 60_000).toISOString(),
    },
    null,
  );
  return token;
}

test('behind a public https address every cookie is __Host-, Secure, HttpOnly and SameSite, and pages lead there', async () => {
  const response = await use({ link: await newLink() });
  assert.equal(response.status, 200);
  const cookies = response.headers.getSetCookie();
  assert.equal(cookies.length, 1);
  for (const cookie of cookies) assert.match(cookie, safe);
  assert.doesNotMatch(await response.text(), /127\.0\.0\.1|http:/);
});

test('a form comes from there: not from the same name without TLS, and not from where the proxy reaches us', async () => {
  const link = await newLink();
  for (const origin of [
    'http://tools.example.com',
    'https://tools.example.com.evil.example',
    listening.url,
  ]) {
    const refused = await use({ link }, { origin });
    assert.ok([400, 403].includes(refused.status), origin);
    assert.deepEqual(refused.headers.getSetCookie(), []);
    await refused.body?.cancel();
  }
  const forwarded = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' };
  const taken = await use({ link }, forwarded);
  assert.match(taken.headers.getSetCookie()[0] ?? '', safe);
  assert.ok(!(await taken.text()).includes('evil'));
});
