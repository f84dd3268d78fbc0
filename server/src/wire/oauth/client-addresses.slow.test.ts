import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ClientDocuments, serveClientDocuments } from './fixtures/client-documents.ts';
import { begin, type OAuthServer, startOAuthServer } from './fixtures/oauth-server.ts';
import { byAssertion, newKeyPair } from './grants/fixtures/programs.ts';

const redirectUri = 'http://127.0.0.1:7777/callback';
let documents: ClientDocuments;
/** Reaches public addresses only. */
let server: OAuthServer;
/** May reach the computer on which the documents are. */
let reaching: OAuthServer;

before(async () => {
  documents = await serveClientDocuments();
  server = await startOAuthServer({ egressAllow: [] });
  reaching = await startOAuthServer();
});
after(async () => {
  await server.close();
  await reaching.close();
  documents.close();
});

async function ask(of: OAuthServer, clientId: string): Promise<number> {
  const response = await fetch(begin(of.url, { clientId, redirectUri, resource: `${of.url}/v1` }).url, {
    redirect: 'manual',
  });
  await response.text();
  return response.status;
}

describe('an address of the inside', () => {
  it('is not asked for a document, however it is written', async () => {
    documents.publish('/client.json', { redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' });
    const { port } = new URL(documents.origin);
    assert.equal(await ask(reaching, `${documents.origin}/client.json`), 303, 'it is there');
    const before = documents.connections();
    for (const host of [
      '127.0.0.1',
      // A name that the resolver leads inside.
      'localhost',
      'localhost.',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[::1]',
      '0x7f000001',
      '2130706433',
      '0.0.0.0',
    ]) {
      assert.equal(await ask(server, `https://${host}:${port}/client.json`), 400, host);
    }
    assert.equal(documents.connections(), before);
  });

  it('is not asked for the keys of a client, whoever names them', async () => {
    const key = await newKeyPair('k1');
    const metadata = {
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks_uri: `${documents.origin}/keys.json`,
    };
    const { client_id } = (await server.register(metadata)).body;
    const before = documents.connections();
    const fields = await byAssertion(client_id, server.url, key);
    const { status } = await server.form('/oauth2/token', {
      grant_type: 'refresh_token',
      refresh_token: 'x',
      client_id,
      ...fields,
    });
    assert.ok(status === 400 || status === 401, String(status));
    assert.equal(documents.connections(), before);
    const there = (await reaching.register(metadata)).body.client_id;
    await reaching.form('/oauth2/token', {
      grant_type: 'refresh_token',
      refresh_token: 'x',
      client_id: there,
      ...(await byAssertion(there, reaching.url, key)),
    });
    assert.ok(documents.asked.includes('/keys.json'), 'where it may, it asks');
  });
});

describe('a document that is elsewhere', () => {
  it('is not looked for there', async () => {
    const to = documents.publish('/elsewhere.json', { redirect_uris: [redirectUri] });
    assert.equal(await ask(reaching, documents.redirect('/moved.json', to)), 400);
    assert.ok(documents.asked.includes('/moved.json'));
    assert.ok(!documents.asked.includes('/elsewhere.json'));
  });
});
