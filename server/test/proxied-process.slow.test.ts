import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from './database.ts';
import { freePort } from './free-port.ts';
import { startProcess } from './start-process.ts';

test('the authorization server behind a proxy has one address, answers at the other, and warns nobody in normal use', async (t) => {
  const dir = temporaryDirectory();
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(join(dir, 'sallyport.yaml'), 'gateways: [{ slug: people, auth_types: [arcade] }]');
  const port = String(await freePort());
  const issuer = 'https://tools.example.com';
  const env = { SALLYPORT_PUBLIC_URL: issuer, SALLYPORT_PORT: port };
  const server = await startProcess(env, dir);
  t.after(() => void server.child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  const at = async (path: string, init?: RequestInit) => {
    const answer = await fetch(url + path, { redirect: 'manual', ...init });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  assert.equal((await at('/healthz')).status, 200);
  assert.equal((await at('/readyz')).status, 200);
  const register = await at('/oauth2/register', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      redirect_uris: ['http://127.0.0.1:1/'],
      token_endpoint_auth_method: 'none',
    }),
  });
  assert.equal(register.status, 201);
  const client_id = JSON.parse(register.text).client_id as string;
  const asked = {
    client_id,
    redirect_uri: 'http://127.0.0.1:1/',
    response_type: 'code',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  };
  const begin = (resource: string) => at(`/oauth2/authorize?${new URLSearchParams({ ...asked, resource })}`);
  const begun = await begin(`${issuer}/mcp/people`);
  assert.match(begun.headers.get('location') ?? '', /^\/oauth2\/interaction\//);
  assert.match(begun.headers.get('set-cookie') ?? '', /^__Host-\S+; .*Secure/);
  const elsewhere = await begin(`${url}/mcp/people`);
  assert.match(elsewhere.headers.get('location') ?? '', /error=invalid_target/);
  const shut = await at('/mcp/people', { method: 'POST' });
  assert.match(
    shut.headers.get('www-authenticate') ?? '',
    /resource_metadata="https:\/\/tools\.example\.com\//,
  );
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x', client_id });
  assert.equal((await at('/oauth2/token', { method: 'POST', body })).status, 400);
  assert.equal(await server.stop('SIGTERM'), 0);
  for (const line of server.logged()) assert.ok(line.level <= 30, JSON.stringify(line));
  assert.equal(server.stderr(), '');
});
