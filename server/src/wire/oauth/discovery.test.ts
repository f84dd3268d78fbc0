import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { type OAuthServer, startOAuthServer } from './fixtures/oauth-server.ts';

let server: OAuthServer;
let port: string;

before(async () => {
  server = await startOAuthServer();
  port = new URL(server.url).port;
  await server.newGateway('demo');
  await server.newGateway('keys', { auth_types: ['arcade_header'] });
  await server.newGateway('asleep', { status: 'inactive' });
});
after(() => server.close());

interface Raw {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** A request with headers that `fetch` would not send. */
function raw(path: string, headers: Record<string, string> = {}, method = 'GET', body = ''): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { host: '127.0.0.1', port, path, method, headers, setHost: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

async function documentAt(path: string, host = `127.0.0.1:${port}`) {
  const { status, text } = await raw(path, { host });
  return { status, document: JSON.parse(text) };
}

describe('the authorization server describes itself', () => {
  it('at every place where clients look, always the same', async () => {
    const { document: root } = await documentAt('/.well-known/oauth-authorization-server');
    for (const path of [
      '/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server/mcp/demo',
      '/.well-known/oauth-authorization-server/mcp/demo/',
      '/.well-known/openid-configuration/mcp/demo',
      '/.well-known/oauth-authorization-server/v1',
      '/mcp/demo/.well-known/openid-configuration',
      '/mcp/demo/.well-known/oauth-authorization-server',
    ]) {
      const { status, document } = await documentAt(path);
      assert.equal(status, 200, path);
      assert.deepEqual(document, root, path);
    }
  });

  it('with all that clients insist on', async () => {
    const { document } = await documentAt('/.well-known/oauth-authorization-server');
    assert.equal(document.issuer, server.url);
    assert.deepEqual(document.code_challenge_methods_supported, ['S256']);
    assert.equal(document.authorization_response_iss_parameter_supported, true);
    assert.equal(document.client_id_metadata_document_supported, true);
    assert.deepEqual(document.response_types_supported, ['code']);
    for (const method of ['none', 'private_key_jwt', 'client_secret_basic', 'client_secret_post']) {
      assert.ok(document.token_endpoint_auth_methods_supported.includes(method), method);
    }
    for (const grant of ['authorization_code', 'refresh_token', 'client_credentials']) {
      assert.ok(document.grant_types_supported.includes(grant), grant);
    }
    for (const scope of ['openid', 'mcp', 'offline_access']) {
      assert.ok(document.scopes_supported.includes(scope), scope);
    }
    for (const [name, value] of Object.entries(document)) {
      if (/_endpoint$|_uri$/.test(name))
        assert.ok((value as string).startsWith(`${server.url}/oauth2/`), name);
    }
  });

  it('under the same name, whatever a request says of itself', async () => {
    const { document: root } = await documentAt('/.well-known/oauth-authorization-server');
    const forged = {
      host: `localhost:${port}`,
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '444',
      forwarded: 'host=evil.example;proto=https',
      'x-forwarded-prefix': '/evil',
    };
    const { status, text } = await raw('/.well-known/oauth-authorization-server', forged);
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(text), root);
    const foreign = await raw('/.well-known/oauth-authorization-server', { ...forged, host: 'evil.example' });
    assert.equal(foreign.status, 403);
    const absolute = await raw('http://evil.example/.well-known/oauth-authorization-server', {
      host: `localhost:${port}`,
    });
    assert.equal(absolute.status, 404);
  });

  it('with public keys and nothing else of them', async () => {
    const { status, document } = await documentAt('/oauth2/jwks');
    assert.equal(status, 200);
    assert.equal(document.keys.length, 1);
    for (const key of document.keys) {
      assert.deepEqual(Object.keys(key).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use']);
      assert.equal(key.alg, 'RS256');
    }
  });
});

describe('a gateway says who gives tokens for it', () => {
  it('under the URL that was typed', async () => {
    const path = '/.well-known/oauth-protected-resource/mcp/demo';
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]) {
      const { status, document } = await documentAt(path, host);
      assert.equal(status, 200, host);
      assert.equal(document.resource, `http://${host}/mcp/demo`);
      assert.deepEqual(document.authorization_servers, [server.url]);
      assert.deepEqual(document.scopes_supported, ['openid', 'mcp']);
      assert.deepEqual(document.bearer_methods_supported, ['header']);
    }
    const { document } = await documentAt(`${path}/`);
    assert.equal(document.resource, `${server.url}/mcp/demo/`);
  });

  it('never under a name that is not ours', async () => {
    for (const host of [`localhost:${Number(port) + 1}`, 'localhost', `user@localhost:${port}`]) {
      const { status, document } = await documentAt('/.well-known/oauth-protected-resource/mcp/demo', host);
      if (status === 200) assert.equal(document.resource, `${server.url}/mcp/demo`, host);
      else assert.equal(status, 403, host);
    }
  });

  it('and nothing of another, where it takes no sign-ins, sleeps or is none', async () => {
    for (const path of [
      '',
      '/',
      '/mcp',
      '/mcp/',
      '/mcp/keys',
      '/mcp/asleep',
      '/mcp/none',
      '/mcp/demo/more',
      '/other',
    ]) {
      const { status, document } = await documentAt(`/.well-known/oauth-protected-resource${path}`);
      assert.equal(status, 404, path);
      assert.equal(document.resource, undefined);
    }
    for (const path of [
      '/.well-known/oauth-authorization-server/mcp/keys',
      '/mcp/none/.well-known/openid-configuration',
    ]) {
      assert.equal((await documentAt(path)).status, 404, path);
    }
  });

  it('for the API as for gateways', async () => {
    const { document } = await documentAt('/.well-known/oauth-protected-resource/v1');
    assert.equal(document.resource, `${server.url}/v1`);
    assert.deepEqual(document.authorization_servers, [server.url]);
  });

  it('and its refusal leads there', async () => {
    const refused = await fetch(`${server.url}/mcp/demo`, { method: 'POST' });
    assert.equal(refused.status, 401);
    const at = /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '')?.[1];
    const { resource } = (await (await fetch(at ?? '')).json()) as { resource: string };
    assert.equal(resource, `${server.url}/mcp/demo`);
  });
});

describe('pages of other origins', () => {
  const origin = 'https://inspector.example';

  it('may ask for what carries no cookie', async () => {
    for (const path of [
      '/.well-known/oauth-authorization-server',
      '/.well-known/oauth-protected-resource/mcp/demo',
      '/.well-known/oauth-protected-resource/none',
      '/mcp/demo/.well-known/openid-configuration',
      '/oauth2/jwks',
    ]) {
      const response = await fetch(server.url + path, { headers: { origin } });
      assert.equal(response.headers.get('access-control-allow-origin'), '*', path);
      assert.equal(response.headers.get('access-control-allow-credentials'), null);
    }
    for (const path of ['/oauth2/token', '/oauth2/register', '/oauth2/revoke']) {
      const preflight = await fetch(server.url + path, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type',
        },
      });
      assert.equal(preflight.status, 204, path);
      assert.equal(preflight.headers.get('access-control-allow-origin'), '*');
      assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /POST/);
      assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /content-type/);
      const asked = await fetch(server.url + path, { method: 'POST', headers: { origin } });
      assert.equal(asked.headers.get('access-control-allow-origin'), '*', path);
      assert.equal(asked.status, 400, path);
    }
  });

  it('may ask for nothing else', async () => {
    for (const path of [
      '/oauth2/authorize',
      '/oauth2/device',
      '/oauth2/device_authorization',
      '/oauth2/interaction/x',
    ]) {
      const response = await fetch(server.url + path, { headers: { origin } });
      assert.equal(response.status, 403, path);
      assert.equal(response.headers.get('access-control-allow-origin'), null);
    }
  });
});
