import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { createBrowser } from './browser.ts';
import { temporaryDirectory } from './database.ts';
import { clientCallback } from './signing-in.ts';
import { type Json, messageOf, toolCall } from './start-app.ts';
import { startProcess, type TestProcess } from './start-process.ts';

let server: TestProcess;
const directory = temporaryDirectory();
const start = () => startProcess({ SALLYPORT_DEMO: 'on', SALLYPORT_DATA_DIR: directory }, directory);

before(async () => {
  server = await start();
});
after(async () => {
  await server.stop('SIGTERM');
  rmSync(directory, { recursive: true, force: true });
});

const linkIn = (text: string) => /sign in\s+(http\S+\/oauth2\/link#\S+)/.exec(text)?.[1] ?? null;

async function register(): Promise<string> {
  const answer = await fetch(`${server.url}/oauth2/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'A client',
      redirect_uris: [clientCallback],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    }),
  });
  return ((await answer.json()) as Json).client_id;
}

test('whoever starts it for the first time connects a client to the demo with the printed lines alone', async () => {
  const gateway = /claude mcp add --transport http demo (\S+)\n/.exec(server.stdout())?.[1] ?? '';
  assert.equal(gateway, `${server.url}/mcp/demo`);
  const link = linkIn(server.stdout()) ?? '';
  const [client_id, verifier] = [await register(), randomBytes(32).toString('base64url')];
  const asked = new URLSearchParams({
    client_id,
    response_type: 'code',
    redirect_uri: clientCallback,
    resource: gateway,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const browser = createBrowser();
  const page = await browser.open(`${server.url}/oauth2/authorize?${asked}`);
  const email = await browser.submit(page, { fields: { link } });
  const consent = await browser.submit(email, { fields: { email: 'me@example.com' } });
  const back = await browser.submit(consent, { button: 'Allow', stopAt: clientCallback });
  const code = new URL(back.url).searchParams.get('code') ?? '';
  const answer = await fetch(`${server.url}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id,
      code,
      redirect_uri: clientCallback,
      code_verifier: verifier,
      resource: gateway,
    }),
  });
  const { access_token: token } = (await answer.json()) as Json;
  const called = await fetch(gateway, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', ...toolCall('ArcadeEvalRef_Whoami') }),
  });
  assert.match(JSON.stringify((await messageOf(called)).result), /me@example\.com/);
  assert.ok(!(server.stdout() + server.stderr()).includes(token));
});

test('the reference on a page is in the log, with the cause', async () => {
  const page = await createBrowser().open(
    `${server.url}/oauth2/callback/corp?code=SECRET-CODE&state=SECRET-STATE`,
  );
  await server.stop('SIGTERM');
  const reference = /ref_[0-9a-f]{12}/.exec(page.text)?.[0] ?? 'none';
  const line = JSON.stringify(server.logged().find((one) => one.reference === reference));
  assert.match(line, /came without the cookie of its sign-in/);
  assert.doesNotMatch(line, /SECRET/);
  server = await start();
});

test('once there is an owner, a start that nobody watches prints no link', async () => {
  assert.equal(linkIn(server.stdout()), null);
});
