import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { SignJWT } from 'jose';
import { type ClientDocuments, serveClientDocuments } from './fixtures/client-documents.ts';
import {
  type AskFor,
  type Browser,
  begin,
  claimsOf,
  initialize,
  type OAuthServer,
  startOAuthServer,
  tokensFor,
} from './fixtures/oauth-server.ts';

let server: OAuthServer;
let documents: ClientDocuments;
let gateway: string;
let browser: Browser;

before(async () => {
  documents = await serveClientDocuments();
  server = await startOAuthServer();
  gateway = await server.newGateway('demo');
  browser = await server.signedIn('ada@example.com');
});
after(async () => {
  await server.close();
  documents.close();
});

/** What every client must get, whatever its habits are: into the gateway, and in again by its refresh token. */
async function comesIn(
  asked: AskFor,
  authentication: () => Promise<Record<string, string>> = async () => ({}),
) {
  const given = await tokensFor(server, browser, asked, await authentication());
  assert.equal(given.status, 200, JSON.stringify(given.body));
  assert.equal(given.back.searchParams.get('iss'), server.url);
  const { access_token, refresh_token, token_type } = given.body;
  assert.equal(token_type, 'Bearer');
  assert.equal(claimsOf(access_token).aud, gateway);
  assert.equal(claimsOf(access_token).client_id, asked.clientId);
  assert.equal((await initialize(gateway, access_token)).status, 200);
  const renewed = await server.form('/oauth2/token', {
    grant_type: 'refresh_token',
    refresh_token,
    client_id: asked.clientId,
    ...(asked.resource === undefined ? {} : { resource: asked.resource }),
    ...(asked.scope === undefined ? {} : { scope: asked.scope }),
    ...(await authentication()),
  });
  assert.equal(renewed.status, 200, JSON.stringify(renewed.body));
  assert.notEqual(renewed.body.refresh_token, refresh_token);
  assert.equal((await initialize(gateway, renewed.body.access_token)).status, 200);
  return given;
}

const publicClient = {
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

describe('a client that publishes a document of itself', () => {
  it('Claude Code: no application_type, portless loopback redirects, an ephemeral port', async () => {
    const clientId = documents.publish('/oauth/claude-code-client-metadata', {
      client_name: 'Claude Code',
      client_uri: 'https://claude.ai',
      redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
      ...publicClient,
    });
    const scope = 'openid mcp offline_access';
    const asked = { clientId, resource: gateway, scope, prompt: 'consent' };
    await comesIn({ ...asked, redirectUri: 'http://localhost:54321/callback' });
    await comesIn({ ...asked, redirectUri: 'http://127.0.0.1:54322/callback' });
  });

  it('claude.ai: an https redirect, a public client', async () => {
    const redirectUri = 'https://claude.ai/api/mcp/auth_callback';
    const clientId = documents.publish('/oauth/mcp-oauth-client-metadata', {
      client_name: 'Claude',
      redirect_uris: [redirectUri],
      ...publicClient,
    });
    await comesIn({ clientId, redirectUri, resource: gateway, scope: 'openid mcp' });
  });

  it('ChatGPT: private_key_jwt with keys at a URL', async () => {
    const redirectUri = 'https://chatgpt.com/connector_platform_oauth_redirect';
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' };
    const jwks_uri = documents.publish('/oauth/jwks.json', JSON.stringify({ keys: [jwk] }));
    const clientId = documents.publish('/oauth/client.json', {
      client_name: 'ChatGPT',
      redirect_uris: [redirectUri],
      ...publicClient,
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri,
    });
    const authentication = async () => ({
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await new SignJWT({ jti: randomUUID() })
        .setProtectedHeader({ alg: 'RS256', kid: 'one' })
        .setIssuer(clientId)
        .setSubject(clientId)
        .setAudience(server.url)
        .setIssuedAt()
        .setExpirationTime('1m')
        .sign(privateKey),
    });
    await comesIn({ clientId, redirectUri, resource: gateway, scope: 'openid mcp' }, authentication);
    const unauthenticated = await tokensFor(server, browser, { clientId, redirectUri, resource: gateway });
    assert.equal(unauthenticated.body.error, 'invalid_client');
  });

  it('Codex, Zed and OpenCode: loopback, any port', async () => {
    for (const [path, redirect, used] of [
      ['/oauth/codex/client.json', 'http://127.0.0.1/callback', 'http://127.0.0.1:1455/callback'],
      ['/oauth/client-metadata.json', 'http://127.0.0.1:0/callback', 'http://127.0.0.1:61001/callback'],
      ['/oauth/opencode/client.json', 'http://[::1]/mcp/oauth', 'http://[::1]:19876/mcp/oauth'],
    ] as const) {
      const clientId = documents.publish(path, {
        client_name: path,
        redirect_uris: [redirect],
        ...publicClient,
      });
      await comesIn({ clientId, redirectUri: used, resource: gateway });
    }
  });

  it('VS Code: native, with a loopback redirect and one of https', async () => {
    const clientId = documents.publish('/oauth/vscode.json', {
      client_name: 'Visual Studio Code',
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1:33418/', 'https://vscode.dev/redirect'],
      ...publicClient,
      grant_types: [
        ...publicClient.grant_types,
        'urn:ietf:params:oauth:grant-type:device_code',
        'urn:unknown',
      ],
    });
    for (const redirectUri of [
      'http://127.0.0.1:33418/',
      'http://127.0.0.1:51000/',
      'https://vscode.dev/redirect',
    ]) {
      await comesIn({ clientId, redirectUri, resource: gateway, scope: 'openid mcp' });
    }
  });

  it('is let in without asking where the gateway says so of it, and nowhere else', async () => {
    const redirects = ['https://trusted.example/callback', 'http://localhost/callback'];
    const clientId = documents.publish('/trusted.json', { redirect_uris: redirects, ...publicClient });
    const registered = await server.register({ redirect_uris: redirects, ...publicClient });
    const consent_skip_client_ids = [clientId, registered.body.client_id];
    const trusting = await server.newGateway('trusting', { consent_skip_client_ids });
    const isAsked = async (id: string, redirectUri: string, resource: string) => {
      const { url } = begin(server.url, { clientId: id, redirectUri, resource, prompt: 'consent' });
      const location = (await browser.get(url)).headers.get('location') ?? '';
      return new URL(location, server.url).pathname.startsWith('/oauth2/interaction/');
    };
    for (const redirectUri of ['https://trusted.example/callback', 'http://localhost:5/callback']) {
      for (const id of [clientId, registered.body.client_id]) {
        assert.equal(await isAsked(id, redirectUri, trusting), false, redirectUri);
        assert.equal(await isAsked(id, redirectUri, gateway), true, 'another gateway');
      }
    }
  });

  it('is asked for its document once, not on every request', async () => {
    const redirectUri = 'https://once.example/callback';
    const clientId = documents.publish('/once.json', { redirect_uris: [redirectUri], ...publicClient });
    await comesIn({ clientId, redirectUri, resource: gateway });
    assert.equal(documents.asked.filter((path) => path === '/once.json').length, 1);
  });

  it('whose document says that it is another client, holds a secret, or is none, is refused', async () => {
    const redirect_uris = ['https://client.example/callback'];
    const wrong = {
      '/other.json': { client_id: 'https://claude.ai/oauth/claude-code-client-metadata', redirect_uris },
      '/secret.json': { redirect_uris, client_secret: 'known to everybody' },
      '/method.json': { redirect_uris, token_endpoint_auth_method: 'client_secret_basic' },
      '/script.json': { redirect_uris: ['javascript:alert(1)'] },
      '/none.json': 'not JSON',
      '/large.json': JSON.stringify({ padding: 'x'.repeat(100_000) }),
    };
    for (const [path, document] of Object.entries(wrong)) {
      const clientId = documents.publish(path, document);
      const redirectUri = 'https://client.example/callback';
      const { url } = begin(server.url, { clientId, redirectUri, resource: gateway });
      const response = await browser.get(url);
      assert.equal(response.status, 400, path);
      assert.equal(response.headers.get('location'), null, path);
    }
  });

  it('is never looked for at private addresses', async () => {
    for (const clientId of [
      'https://10.0.0.1/client.json',
      'https://192.168.0.1/client.json',
      'https://169.254.169.254/latest/meta-data',
      'https://[::1]/client.json',
      'https://[::ffff:10.0.0.1]/client.json',
      'https://[fd00::1]/client.json',
      'https://0x0a000001/client.json',
    ]) {
      const redirectUri = 'https://client.example/callback';
      const response = await browser.get(begin(server.url, { clientId, redirectUri, resource: gateway }).url);
      assert.equal(response.status, 400, clientId);
      assert.match(await response.text(), /could not be|fetch failed/i);
    }
  });
});

describe('the API', () => {
  it('is for our own clients: every other is refused, however it asks, and whoever vouches for it', async () => {
    const redirectUri = 'http://127.0.0.1:9905/callback';
    const metadata = { client_name: 'Sallyport command line', redirect_uris: [redirectUri] };
    const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
    const grant_types = ['authorization_code', 'refresh_token', deviceGrant];
    const published = documents.publish('/api.json', { ...metadata, ...publicClient });
    const { client_id } = (await server.register({ ...metadata, ...publicClient, grant_types })).body;
    for (const clientId of [published, client_id]) {
      for (const resource of [`${server.url}/v1`, `${server.url}/v1/`]) {
        const { url } = begin(server.url, { clientId, redirectUri, resource });
        const back = new URL((await browser.get(url)).headers.get('location') ?? '');
        assert.equal(back.searchParams.get('error'), 'invalid_target');
      }
    }
    const device = { client_id, resource: `${server.url}/v1` };
    assert.equal((await server.form('/oauth2/device_authorization', device)).body.error, 'invalid_target');
    const asked = { clientId: client_id, redirectUri, resource: gateway };
    const given = await tokensFor(server, browser, asked);
    const renewal = { grant_type: 'refresh_token', client_id, refresh_token: given.body.refresh_token };
    const renewed = await server.form('/oauth2/token', { ...renewal, resource: `${server.url}/v1` });
    assert.match(renewed.body.error, /invalid_(target|grant)/);
  });
});

describe('documents that anybody can name', () => {
  it('are not a way to let us ask one server many times', async () => {
    const redirectUri = 'https://client.example/callback';
    for (let count = 0; count < 70; count++) {
      const clientId = `${documents.origin}/flood/${count}`;
      const response = await browser.get(begin(server.url, { clientId, redirectUri, resource: gateway }).url);
      assert.equal(response.status, 400);
      await response.text();
    }
    const flood = documents.asked.filter((path) => path.startsWith('/flood/'));
    assert.ok(flood.length > 0 && documents.asked.length <= 60, String(documents.asked.length));
  });
});

describe('a client that registers itself', () => {
  it('Claude Code, mcp-remote: an ephemeral loopback port, scopes that nobody knows', async () => {
    const registered = await server.register({
      client_name: 'Claude Code (demo)',
      redirect_uris: ['http://localhost:43123/callback'],
      ...publicClient,
      application_type: 'native',
      scope: 'mcp:tools mcp:admin offline_access',
    });
    assert.equal(registered.status, 201, JSON.stringify(registered.body));
    assert.equal(registered.body.token_endpoint_auth_method, 'none');
    assert.equal(registered.body.client_secret, undefined);
    const clientId = registered.body.client_id;
    await comesIn({
      clientId,
      redirectUri: 'http://localhost:43123/callback',
      resource: gateway,
      scope: 'mcp:tools mcp:admin offline_access',
      prompt: 'consent',
    });
    await comesIn({ clientId, redirectUri: 'http://localhost:3/callback', resource: gateway });
  });

  it('Inspector: a confidential client, too', async () => {
    const redirectUri = 'http://127.0.0.1:6276/oauth/callback';
    for (const method of ['client_secret_post', 'client_secret_basic', undefined]) {
      const registered = await server.register({
        client_name: 'MCP Inspector',
        client_uri: 'https://github.com/modelcontextprotocol/inspector',
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        ...(method === undefined ? {} : { token_endpoint_auth_method: method }),
      });
      const { client_id: clientId, client_secret } = registered.body;
      assert.ok(client_secret.length >= 43, 'a secret that nobody guesses');
      await comesIn({ clientId, redirectUri, resource: gateway }, async () => ({ client_secret }));
      const wrong = await tokensFor(
        server,
        browser,
        { clientId, redirectUri, resource: gateway },
        {
          client_secret: `${client_secret}x`,
        },
      );
      assert.equal(wrong.body.error, 'invalid_client');
      const kept = await server.app.rooms.db.query(`select payload from oauth_records where id = $1`, [
        clientId,
      ]);
      assert.equal(kept.length, 1);
      assert.ok(!JSON.stringify(kept).includes(client_secret), 'only its digest is kept');
    }
  });

  it('Cursor: redirects of three kinds, all scopes that are offered', async () => {
    const redirect_uris = [
      'cursor://anysphere.cursor-mcp/oauth/callback',
      'http://localhost:8787/callback',
      'https://www.cursor.com/agents/mcp/oauth/callback',
    ];
    const registered = await server.register({ client_name: 'Cursor', redirect_uris, ...publicClient });
    assert.equal(registered.status, 201, JSON.stringify(registered.body));
    for (const redirectUri of redirect_uris) {
      await comesIn({
        clientId: registered.body.client_id,
        redirectUri,
        resource: gateway,
        scope: 'openid mcp',
      });
    }
  });

  it('on a computer of a private network, without a certificate', async () => {
    const redirectUri = 'http://192.168.1.20:3000/oauth/callback';
    const registered = await server.register({ redirect_uris: [redirectUri], ...publicClient });
    assert.equal(registered.status, 201, JSON.stringify(registered.body));
    await comesIn({ clientId: registered.body.client_id, redirectUri, resource: gateway });
  });

  it('is refused where an answer would run a script, or go over http to another computer', async () => {
    for (const uri of [
      'javascript:alert(1)//',
      'data:text/html,hello',
      'vbscript:x',
      'file:///etc/passwd',
      'blob:https://a.example/1',
      'http://client.example/callback',
      'http://10.evil.example/callback',
      'http://10.0.0.1@client.example/callback',
      'http://8.8.8.8/callback',
      'https://client.example/callback#fragment',
      'https://claude.ai@evil.example/callback',
      'https://claude.ai:443@evil.example/callback',
      'https://*.example/callback',
      'http://localhost.evil.example/callback',
      'http://127.0.0.1.nip.io/callback',
      'http://localhost@evil.example/callback',
      'http://0.0.0.0/callback',
      'view-source:https://a.example/',
      'intent://a.example/#Intent;end',
      'wss://a.example/',
      'mailto:a@a.example',
      'JavaScript:alert(1)',
      ' javascript:alert(1)',
      'not a url',
      '',
    ]) {
      const { status, body } = await server.register({ redirect_uris: [uri], ...publicClient });
      assert.equal(status, 400, uri);
      assert.match(body.error, /invalid_(redirect_uri|client_metadata)/);
    }
  });

  it('is told in JSON what is wrong, whatever it sends', async () => {
    for (const body of [
      '{',
      '[]',
      '"text"',
      'null',
      JSON.stringify({ redirect_uris: 'https://a.example' }),
      '{}',
    ]) {
      const response = await fetch(`${server.url}/oauth2/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body,
      });
      assert.equal(response.status, 400, body);
      assert.match(((await response.json()) as { error: string }).error, /^invalid_/);
    }
  });

  it('leaves no more than so much of itself here, and nothing that nobody needs', async () => {
    const redirect_uris = ['https://client.example/callback'];
    const { status } = await server.register({ client_name: 'x'.repeat(10_000), redirect_uris });
    assert.equal(status, 413);
    const uris = [
      'logo_uri',
      'policy_uri',
      'tos_uri',
      'client_uri',
      'initiate_login_uri',
      'sector_identifier_uri',
    ];
    const links = Object.fromEntries(uris.map((name) => [name, 'https://10.0.0.1/']));
    const { body } = await server.register({ redirect_uris, ...links, request_uris: ['https://10.0.0.1/'] });
    assert.ok(!JSON.stringify(body).includes('10.0.0.1'), JSON.stringify(body));
  });

  it('can change nothing of itself afterwards, and nobody else can', async () => {
    const redirect_uris = ['https://client.example/callback'];
    const { body } = await server.register({ redirect_uris, ...publicClient });
    assert.equal(body.registration_access_token, undefined);
    assert.equal(body.registration_client_uri, undefined);
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
      for (const path of [`register/${body.client_id}`, `register?client_id=${body.client_id}`]) {
        const sent =
          method === 'GET' ? null : JSON.stringify({ ...body, redirect_uris: ['https://evil.example/'] });
        const headers = { 'content-type': 'application/json' };
        const response = await fetch(`${server.url}/oauth2/${path}`, { method, headers, body: sent });
        assert.equal(response.status, 404, `${method} ${path}`);
        await response.text();
      }
    }
  });

  it('is forgotten after a day where nobody used it, and kept where somebody did', async () => {
    const { db } = server.app.rooms;
    const redirectUri = 'https://client.example/callback';
    const metadata = { redirect_uris: [redirectUri], ...publicClient };
    const unused = (await server.register(metadata)).body.client_id;
    const used = (await server.register(metadata)).body.client_id;
    await comesIn({ clientId: used, redirectUri, resource: gateway });
    const rows = await db.query<{ id: string; days: number }>(
      `select id, extract(epoch from (expires_at - now()))::float8 / 86400 as days from oauth_records where id in ($1, $2)`,
      [unused, used],
    );
    const daysOf = (id: string) => Math.round(rows.find((row) => row.id === id)?.days ?? 0);
    assert.equal(daysOf(unused), 1);
    assert.equal(daysOf(used), 90);
    await db.query(`update oauth_records set expires_at = now() - interval '1 second' where id = $1`, [
      unused,
    ]);
    const response = await browser.get(begin(server.url, { clientId: unused, redirectUri }).url);
    assert.equal(response.status, 400);
  });
});

describe('our own command line', () => {
  it('is known in advance, and gets tokens for the API', async () => {
    for (const redirectUri of ['http://127.0.0.1:9905/callback', 'http://127.0.0.1:40001/callback']) {
      const clientId = 'sallyport-cli';
      const given = await tokensFor(server, browser, {
        clientId,
        redirectUri,
        scope: 'openid offline_access',
      });
      assert.equal(given.status, 200, JSON.stringify(given.body));
      const claims = claimsOf(given.body.access_token);
      assert.equal(claims.aud, `${server.url}/v1`);
      assert.equal(claims.gateway, undefined);
      assert.ok(given.body.refresh_token);
    }
  });
});

describe('registrations without number', () => {
  it('are held up, before they could take the place of others', async () => {
    const redirect_uris = ['https://client.example/callback'];
    const answers: number[] = [];
    for (let sent = 0; sent < 13; sent++) {
      const some = await Promise.all(
        Array.from({ length: 50 }, () => server.register({ redirect_uris: ['x'], ...publicClient })),
      );
      answers.push(...some.map(({ status }) => status));
    }
    assert.ok(answers.includes(400) && answers.includes(429));
    const { status, headers, body } = await server.register({ redirect_uris, ...publicClient });
    assert.deepEqual(
      [status, body.error, headers.get('retry-after')],
      [429, 'temporarily_unavailable', '60'],
    );
  });
});
