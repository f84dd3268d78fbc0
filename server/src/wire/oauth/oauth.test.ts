import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { allow, claimsOf, newVerifier, type OAuthServer, startOAuthServer } from './fixtures/oauth-server.ts';

let server: OAuthServer;
let gateway: string;

before(async () => {
  server = await startOAuthServer();
  gateway = await server.newGateway('demo');
});
after(() => server.close());

describe('core', () => {
  it('goes from registration to a token', async () => {
    const registered = await server.register({
      client_name: 'Test',
      redirect_uris: ['http://localhost:1234/callback'],
      grant_types: ['authorization_code', 'refresh_token', 'urn:unknown'],
      token_endpoint_auth_method: 'none',
      scope: 'whatever mcp:tools',
    });
    assert.equal(registered.status, 201, JSON.stringify(registered.body));
    const { verifier, challenge } = newVerifier();
    const url = new URL(`${server.url}/oauth2/authorize`);
    url.search = new URLSearchParams({
      client_id: registered.body.client_id,
      redirect_uri: 'http://localhost:5555/callback',
      response_type: 'code',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      state: 'xyz',
      prompt: 'consent',
      resource: gateway,
    }).toString();
    const browser = await server.signedIn('ada@example.com');
    const back = await allow(browser, url.href);
    assert.equal(back.searchParams.get('state'), 'xyz', back.href);
    const token = await server.form('/oauth2/token', {
      grant_type: 'authorization_code',
      code: back.searchParams.get('code') ?? '',
      client_id: registered.body.client_id,
      redirect_uri: 'http://localhost:5555/callback',
      code_verifier: verifier,
      resource: gateway,
    });
    assert.equal(token.status, 200, JSON.stringify(token.body));
    console.log(token.body, claimsOf(token.body.access_token));
    const called = await fetch(gateway, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token.body.access_token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
      }),
    });
    console.log(called.status, await called.text());
    console.log(await (await fetch(`${server.url}/.well-known/oauth-authorization-server`)).json());
    console.log(await (await fetch(`${server.url}/.well-known/oauth-protected-resource/mcp/demo`)).json());
  });
});
