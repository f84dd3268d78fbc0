import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import Arcade from '@arcadeai/arcadejs';
import { adminKey, type RestServer, startRestServer } from '../fixtures/rest-server.ts';

const clientSecret = 'the-client-secret-of-the-app';
const all = '/v1/admin/auth_providers';

let server: RestServer;
let client: Arcade;

before(async () => {
  server = await startRestServer();
  client = new Arcade({ apiKey: adminKey, baseURL: server.url, maxRetries: 0 });
});
after(() => server?.close());
beforeEach(async () => {
  const { items = [] } = await client.admin.authProviders.list();
  for (const { id = '' } of items) await client.admin.authProviders.delete(id);
});

const refusedAs = async (body: object, field: string, words: RegExp) => {
  const { status, body: told } = await server.ask('POST', all, { body });
  assert.equal(status, 400, JSON.stringify(told));
  assert.match(told.message, words);
  assert.equal(told.field ?? told.issues?.[0]?.field, field);
};

describe('the client of Arcade, unchanged', () => {
  it('registers a well-known provider, and is told where its users come back to', async () => {
    const made = await client.admin.authProviders.create({
      id: 'my-github',
      type: 'oauth2',
      provider_id: 'github',
      description: 'For the tools of the team',
      oauth2: { client_id: 'app', client_secret: clientSecret },
    });
    assert.equal(made.id, 'my-github');
    assert.equal(made.status, 'active');
    assert.equal(made.oauth2?.client_id, 'app');
    assert.deepEqual(made.oauth2?.client_secret, {
      exists: true,
      editable: true,
      value: '',
      binding: 'project',
    });
    assert.equal(made.oauth2?.redirect_uri, `${server.url}/connect/callback/default/providers/my-github`);
    assert.deepEqual(made.binding, { type: 'project', id: 'default' });
    assert.deepEqual(await client.admin.authProviders.get('my-github'), made);
    const page = await client.admin.authProviders.list();
    assert.deepEqual([page.total_count, page.page_count, page.offset], [1, 1, 0]);
    assert.deepEqual(page.items, [made]);
  });

  it('registers a custom provider with all that can be said, changes it, and removes it', async () => {
    const triggers = { on_token_grant: true, on_token_refresh: false };
    const made = await client.admin.authProviders.create({
      id: 'hooli',
      external_id: 'ext-1',
      oauth2: {
        client_id: 'app',
        client_secret: clientSecret,
        scope_delimiter: ',',
        pkce: { enabled: true, code_challenge_method: 'S256' },
        authorize_request: {
          endpoint: 'https://hooli.example/authorize',
          params: { client_id: '{{client_id}}', scope: '{{scopes}} {{existing_scopes}}', state: '{{state}}' },
        },
        token_request: {
          endpoint: 'https://hooli.example/token',
          auth_method: 'client_secret_basic',
          request_content_type: 'application/json',
          response_content_type: 'application/json',
          response_map: { access_token: '$.data.access_token', scope: "join('$.data.scopes', ' ')" },
        },
        refresh_request: { endpoint: 'https://hooli.example/token', method: 'POST' },
        user_info_request: {
          endpoint: 'https://hooli.example/me',
          auth_method: 'bearer_access_token',
          triggers,
        },
        token_introspection_request: {
          endpoint: 'https://hooli.example/introspect',
          params: { token: '{{access_token}}' },
          response_map: { expires_in: '$.exp' },
          triggers,
        },
      },
    });
    assert.deepEqual(made.oauth2?.user_info_request?.triggers, triggers);
    assert.equal(made.oauth2?.token_request?.response_map?.scope, "join('$.data.scopes', ' ')");
    const changed = await client.admin.authProviders.patch('hooli', {
      description: 'Hooli',
      oauth2: { token_request: { method: 'POST' } },
    });
    assert.equal(changed.description, 'Hooli');
    assert.deepEqual(changed.oauth2?.token_request, { ...made.oauth2?.token_request, method: 'POST' });
    assert.equal(changed.oauth2?.client_secret?.exists, true);
    assert.deepEqual(await client.admin.authProviders.delete('hooli'), changed);
    await assert.rejects(client.admin.authProviders.get('hooli'), Arcade.NotFoundError);
    await assert.rejects(client.admin.authProviders.delete('hooli'), Arcade.NotFoundError);
  });

  it('is told of an id that is taken without trying again', async () => {
    const body = { id: 'a', provider_id: 'github', oauth2: { client_id: 'app' } };
    await client.admin.authProviders.create(body);
    const { status, headers } = await server.ask('POST', all, { body });
    assert.equal(status, 409);
    assert.equal(headers.get('x-should-retry'), 'false');
  });
});

describe('what is refused', () => {
  const oauth2 = { client_id: 'app' };
  const github = { id: 'a', provider_id: 'github' };

  it('names the field', async () => {
    await refusedAs({ ...github, oauth2: {} }, 'oauth2.client_id', /required/);
    await refusedAs({ ...github, oauth2, colour: 'red' }, 'colour', /not a known field/);
    await refusedAs({ ...github, id: 'a b', oauth2 }, 'id', /must be 1 to 100/);
    await refusedAs({ ...github, id: 'known', oauth2 }, 'id', /known/);
    await refusedAs({ ...github, type: 'saml', oauth2 }, 'type', /oauth2/);
    await refusedAs({ ...github, type: 'api_key', oauth2 }, 'oauth2', /does not belong to type "api_key"/);
    await refusedAs({ ...github, description: 'x'.repeat(1001), oauth2 }, 'description', /1000/);
    await refusedAs({ ...github, external_id: 'x'.repeat(51), oauth2 }, 'external_id', /50/);
    await refusedAs({ ...github, oauth2: { client_id: 'x'.repeat(1001) } }, 'oauth2.client_id', /1000/);
    await refusedAs({ id: 'a', oauth2 }, 'oauth2.authorize_request', /provider_id/);
    await refusedAs({ id: 'a', provider_id: 'zendesk', oauth2 }, 'variables.subdomain', /required/);
  });

  it('of a request to the provider is what would leak, or never work', async () => {
    const asked = async (request: object, field: string, words: RegExp, name = 'token_request') => {
      await refusedAs(
        { ...github, oauth2: { ...oauth2, [name]: request } },
        `oauth2.${name}.${field}`,
        words,
      );
    };
    for (const endpoint of [
      'http://x.example/t',
      'ftp://x.example',
      'https://u:p@x.example',
      'https://x.example/#a',
      'https://{{client_id}}.example',
      'x.example',
    ])
      await asked({ endpoint }, 'endpoint', /https/);
    await asked(
      { params: { a: '{{client_sekret}}' } },
      'params.a',
      /\{\{client_sekret\}\}, which is not known/,
    );
    await asked({ params: { a: '{{client_id' } }, 'params.a', /braces/);
    await asked({ params: { code: 'x' } }, 'params.code', /set by the gateway itself/);
    await asked({ params: { client_secret: clientSecret } }, 'params.client_secret', /beside client_id/);
    await asked(
      { auth_method: 'client_secret_basic', params: { client_secret: '{{client_secret}}' } },
      'params.client_secret',
      /a second time/,
    );
    await asked({ response_map: { token: '$.a' } }, 'response_map.token', /is not known/);
    await asked({ response_map: { scope: 'scopes' } }, 'response_map.scope', /JSONPath/);
    await asked({ auth_method: 'magic' }, 'auth_method', /client_secret_basic/);
    await asked({ params: { s: '{{client_secret}}' } }, 'params.s', /not known/, 'authorize_request');
    await asked({ params: { state: 'mine' } }, 'params.state', /itself/, 'authorize_request');
  });

  it('never repeats a secret, and neither do answers and records', async () => {
    const long = { ...github, oauth2: { ...oauth2, client_secret: clientSecret.repeat(60) } };
    const { body } = await server.ask('POST', all, { body: long });
    assert.doesNotMatch(JSON.stringify(body), new RegExp(clientSecret));
    const made = await server.ask('POST', all, {
      body: { ...github, oauth2: { ...oauth2, client_secret: clientSecret } },
    });
    assert.equal(made.status, 201);
    await server.ask('PATCH', `${all}/a`, { body: { oauth2: { client_secret: `${clientSecret}-2` } } });
    const got = await server.ask('GET', `${all}/a`);
    const records = await server.ask('GET', '/v1/audit_events?limit=100');
    const operations = JSON.stringify(records.body);
    for (const operation of ['auth_providers.create', 'auth_providers.update'])
      assert.match(operations, new RegExp(operation));
    for (const shown of [made.body, got.body, records.body])
      assert.doesNotMatch(JSON.stringify(shown), new RegExp(clientSecret));
  });
});

describe('beyond Arcade', () => {
  it('the well-known providers are listed with what has to be said of each', async () => {
    const { status, body } = await server.ask('GET', `${all}/known`);
    assert.equal(status, 200);
    assert.equal(body.items.length, body.total_count);
    const zendesk = body.items.find((item: { provider_id: string }) => item.provider_id === 'zendesk');
    assert.equal(zendesk.variables[0].name, 'subdomain');
    const google = body.items.find((item: { provider_id: string }) => item.provider_id === 'google');
    assert.deepEqual(google.default_scopes, ['openid', 'email', 'profile']);
    assert.equal(google.refreshes, true);
    assert.match(google.register_url, /^https:\/\/console\.cloud\.google\.com/);
  });

  it('providers of other types are shown as they were written, without secrets', async () => {
    const entry = {
      instructions: 'In Datadog below Organization Settings.',
      labels: { api_key: 'Application key' },
      check_request: { endpoint: 'https://api.datadoghq.example/api/v2/current_user' },
      account: { subject: '$.data.id', name: '$.data.attributes.email' },
    };
    const header = { name: 'DD-APPLICATION-KEY', format: '{{token}}' };
    const asked = { id: 'datadog', type: 'api_key', header, entry };
    const made = await server.ask('POST', all, { body: asked });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.deepEqual(made.body.entry, entry);
    assert.deepEqual(made.body.header, header);
    assert.equal((await server.ask('POST', all, { body: { id: 'pat', type: 'token' } })).status, 201);
    const exchange = {
      profile: 'entra_obo',
      token_endpoint: 'https://login.microsoftonline.com/contoso/oauth2/v2.0/token',
      client_id: 'gateway',
      client_secret: clientSecret,
      scopes: ['api://internal/.default'],
    };
    const internal = await server.ask('POST', all, {
      body: { id: 'internal', type: 'token_exchange', token_exchange: exchange },
    });
    assert.equal(internal.status, 201, JSON.stringify(internal.body));
    assert.equal(internal.body.token_exchange.client_secret.exists, true);
    assert.doesNotMatch(JSON.stringify(internal.body), new RegExp(clientSecret));
    const elsewhere = { token_exchange: { token_endpoint: 'https://evil.example/token' } };
    const moved = await server.ask('PATCH', `${all}/internal`, { body: elsewhere });
    assert.equal(moved.status, 400);
    assert.match(moved.body.message, /token_exchange\.client_secret: is needed again/);
  });

  it('the address to come back to is told by the configuration, too', async () => {
    const { body } = await server.ask('GET', '/v1/config', { key: null });
    const uri = body.oauth2.callback_url_template
      .replace('{project_id}', 'default')
      .replace('{provider_id}', 'github');
    const { redirect_uri } = (
      await server.ask('POST', all, {
        body: { id: 'github', provider_id: 'github', oauth2: { client_id: 'a' } },
      })
    ).body.oauth2;
    assert.equal(uri, redirect_uri);
  });
});
