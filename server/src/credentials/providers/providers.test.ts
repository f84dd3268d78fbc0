import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import {
  type AuthProviderRequest,
  createAuthProviderRequest,
  updateAuthProviderRequest,
} from '@sallyport/contracts';
import type { Refusal } from '#domain';
import { manualClock, type Result } from '#foundation';
import { type Changes, type Db, openChanges } from '#storage';
import { silentLog } from '#telemetry';
import { openVault, type Vault } from '#vault';
import { openTestDatabase } from '../../../test/database.ts';
import type { AuthProvider, Providers } from './contract.ts';
import { createProviders } from './providers.ts';

const project = 'default';
const clientSecret = 'the-client-secret-of-the-app';

function request(given: object): AuthProviderRequest {
  return createAuthProviderRequest.parse(given);
}

const custom = {
  id: 'crm',
  oauth2: {
    client_id: 'app-1',
    client_secret: clientSecret,
    authorize_request: { endpoint: 'https://crm.example/authorize', params: { scope: '{{scopes}}' } },
    token_request: {
      endpoint: 'https://crm.example/token',
      params: { client_id: '{{client_id}}', client_secret: '{{client_secret}}' },
      response_map: { access_token: '$.token' },
    },
  },
};

function value<T>(result: Result<T, Refusal>): T {
  assert.ok(result.ok, JSON.stringify(result));
  return result.value;
}

function refused<T>(result: Result<T, Refusal>, code: string, words: RegExp, field?: string): void {
  assert.ok(!result.ok, 'was not refused');
  assert.equal(result.error.code, code);
  assert.match(result.error.message, words);
  if (field !== undefined) assert.equal(result.error.field, field);
}

describe('auth providers', () => {
  const clock = manualClock();
  let db: Db;
  let vault: Vault;
  let changes: Changes;
  let providers: Providers;
  let removed: AuthProvider[];

  /** One replica. */
  async function start(): Promise<{ providers: Providers; changes: Changes }> {
    const own = await openChanges(db, { clock, log: silentLog }, true);
    const deps = { db, changes: own, vault, clock, log: silentLog, issuer: () => 'https://gate.example' };
    const onRemoved = async (provider: AuthProvider) => void removed.push(provider);
    return { providers: await createProviders({ ...deps, onRemoved }), changes: own };
  }

  before(async () => {
    db = await openTestDatabase();
    vault = await openVault({ db, clock });
  });
  after(async () => {
    vault.close();
    await db.close();
  });
  beforeEach(async () => {
    removed = [];
    await db.query('delete from auth_providers');
    ({ providers, changes } = await start());
  });

  const add = async (given: object, projectId = project) =>
    value(await providers.create(projectId, request(given)));

  it('of a well-known kind have its facts, with what was said over them', async () => {
    const params = { allow_signup: 'false' };
    const oauth2 = { client_id: 'app', client_secret: 's', authorize_request: { params } };
    const github = await add({ id: 'github', provider_id: 'github', oauth2 });
    assert.equal(github.label, 'GitHub');
    assert.equal(github.oauth2?.client_id, 'app');
    assert.equal(github.oauth2?.authorize_request.endpoint, 'https://github.com/login/oauth/authorize');
    assert.equal(github.oauth2?.authorize_request.params?.allow_signup, 'false');
    assert.equal(github.oauth2?.authorize_request.params?.client_id, '{{client_id}}');
    assert.deepEqual(github.written.oauth2, { client_id: 'app', authorize_request: { params } });
    assert.equal(github.known?.id, 'github');
  });

  it('keep their client secret sealed, and open it for one use', async () => {
    const crm = await add(custom);
    assert.deepEqual(await providers.secretsOf(crm), { clientSecret });
    assert.equal(providers.hasSecret(crm), true);
    const rows = await db.query('select definition::text, sealed from auth_providers');
    assert.equal(JSON.stringify(rows).includes(clientSecret), false);
    assert.equal(JSON.stringify(providers.list(project)).includes(clientSecret), false);
    await db.query(`update auth_providers set id = 'other'`);
    const { providers: moved } = await start();
    const other = moved.get(project, 'other');
    assert.ok(other !== null);
    await assert.rejects(async () => moved.secretsOf(other), /cannot be opened/, 'it is bound to its record');
  });

  it('change only in what is named, and take away what is null', async () => {
    await add({ ...custom, description: 'The CRM' });
    const update = updateAuthProviderRequest.parse({
      oauth2: {
        client_id: 'app-2',
        scope_delimiter: ',',
        token_request: { params: { client_id: '{{client_id}}' } },
        refresh_request: { endpoint: 'https://crm.example/refresh' },
      },
    });
    clock.advance(1000);
    const changed = value(await providers.update(project, 'crm', update));
    assert.equal(changed.description, 'The CRM');
    assert.equal(changed.oauth2?.client_id, 'app-2');
    assert.equal(changed.oauth2?.token_request.endpoint, 'https://crm.example/token');
    assert.deepEqual(changed.oauth2?.token_request.params, { client_id: '{{client_id}}' });
    assert.deepEqual(changed.oauth2?.token_request.response_map, { access_token: '$.token' });
    assert.ok(changed.updatedAt > changed.createdAt);
    assert.deepEqual(await providers.secretsOf(changed), { clientSecret });
    const away = updateAuthProviderRequest.parse({ oauth2: { refresh_request: null, client_secret: null } });
    const without = value(await providers.update(project, 'crm', away));
    assert.equal(without.oauth2?.refresh_request, undefined);
    assert.equal(providers.hasSecret(without), false);
    assert.deepEqual(await providers.secretsOf(without), { clientSecret: null });
  });

  it('do not send their secret to another host than it was entered for', async () => {
    await add(custom);
    const elsewhere = { token_request: { endpoint: 'https://evil.example/token' } };
    const update = updateAuthProviderRequest.parse({ oauth2: elsewhere });
    const words = /token_request\.endpoint would send it to another host/;
    refused(
      await providers.update(project, 'crm', update),
      'request.params_invalid',
      words,
      'oauth2.client_secret',
    );
    const entered = updateAuthProviderRequest.parse({ oauth2: { ...elsewhere, client_secret: 'new' } });
    value(await providers.update(project, 'crm', entered));
  });

  it('that would not be complete are refused by the field that is wrong', async () => {
    const oauth2 = { client_id: 'app' };
    const invalid = 'request.params_invalid';
    const made = async (given: object) => await providers.create(project, request(given));
    refused(await made({ id: 'a', oauth2 }), invalid, /no provider_id names/, 'oauth2.authorize_request');
    refused(await made({ id: 'a', provider_id: 'gihtub', oauth2 }), invalid, /these are: .*github/);
    const variables = { host: 'x' };
    refused(
      await made({ id: 'a', provider_id: 'github', variables, oauth2 }),
      invalid,
      /takes no variables/,
      'variables.host',
    );
    await add(custom);
    refused(await made(custom), 'resource.conflict', /already/, 'id');
    const update = updateAuthProviderRequest.parse({ type: 'basic' });
    refused(await providers.update(project, 'crm', update), invalid, /cannot change/, 'type');
    const renamed = updateAuthProviderRequest.parse({ id: 'crm-2' });
    refused(await providers.update(project, 'crm', renamed), invalid, /address/, 'id');
    assert.equal(providers.list(project).length, 1);
  });

  it('of one project are nothing in another', async () => {
    const crm = await add(custom);
    assert.equal(providers.get('other', 'crm'), null);
    refused(await providers.remove('other', 'crm'), 'resource.unknown', /there is no auth provider crm/);
    const requirement = { id: 'crm', providerId: null, scopes: [] };
    refused(providers.resolve('other', requirement), 'credentials.not_configured', /crm is not set up/);
    assert.deepEqual(providers.get(project, 'crm'), crm);
  });

  it('that are removed take the connections of users with them, once', async () => {
    const crm = await add(custom);
    value(await providers.remove(project, 'crm'));
    assert.deepEqual(removed, [crm]);
    assert.equal(providers.get(project, 'crm'), null);
    refused(await providers.remove(project, 'crm'), 'resource.unknown', /crm/);
    assert.equal(removed.length, 1);
    assert.deepEqual(await providers.secretsOf(crm), { clientSecret: null });
  });

  it('are the same in every replica, after a restart, and as the other replica changed them', async () => {
    const other = await start();
    const crm = await add(custom);
    await other.changes.look();
    assert.deepEqual(other.providers.get(project, 'crm'), crm);
    const update = updateAuthProviderRequest.parse({ status: 'inactive' });
    value(await other.providers.update(project, 'crm', update));
    await changes.look();
    assert.equal(providers.get(project, 'crm')?.status, 'inactive');
    const { providers: restarted } = await start();
    assert.deepEqual(restarted.get(project, 'crm'), providers.get(project, 'crm'));
    value(await other.providers.remove(project, 'crm'));
    await changes.look();
    assert.equal(providers.get(project, 'crm'), null);
  });

  it('of the file are read-only, hide those of the API, and go with the file', async () => {
    await add(custom);
    const declared = request({ ...custom, description: 'of the file' });
    providers.applyFile(project, [declared]);
    const shown = providers.get(project, 'crm');
    assert.equal(shown?.origin, 'file');
    assert.equal(providers.list(project).length, 1);
    assert.ok(shown !== null && shown !== undefined);
    assert.deepEqual(await providers.secretsOf(shown), { clientSecret });
    refused(await providers.update(project, 'crm', {}), 'resource.read_only', /config file/, 'id');
    refused(await providers.remove(project, 'crm'), 'resource.read_only', /config file/, 'id');
    providers.applyFile(project, []);
    assert.equal(providers.get(project, 'crm')?.origin, 'api');
  });

  it('are at most five hundred in a project', async () => {
    const definition = JSON.stringify(providers.get(project, (await add(custom)).id)?.written);
    await db.query(
      `insert into auth_providers select $1, 'p' || n, $2::json, '', now(), now() from generate_series(1, 499) n`,
      [project, definition],
    );
    refused(
      await providers.create(project, request({ ...custom, id: 'one-more' })),
      'resource.conflict',
      /500/,
    );
  });

  it('that lack what this version needs of them are inactive, and the others work', async () => {
    await add(custom);
    const definition = {
      ...custom,
      id: 'old',
      type: 'oauth2',
      provider_id: 'no-longer-known',
      oauth2: { client_id: 'a' },
    };
    await db.query(`insert into auth_providers values ($1, 'old', $2::json, '', now(), now())`, [
      project,
      JSON.stringify(definition),
    ]);
    const { providers: restarted } = await start();
    assert.equal(restarted.get(project, 'old')?.status, 'inactive');
    assert.equal(restarted.get(project, 'crm')?.status, 'active');
  });

  it('get an address of their own to come back to', () => {
    const uri = providers.redirectUriOf(project, 'crm');
    assert.equal(uri, 'https://gate.example/connect/callback/default/providers/crm');
  });
});

describe('the provider that a tool needs', () => {
  const clock = manualClock();
  let db: Db;
  let vault: Vault;
  let providers: Providers;

  before(async () => {
    db = await openTestDatabase();
    vault = await openVault({ db, clock });
    const changes = await openChanges(db, { clock, log: silentLog });
    const issuer = () => 'https://gate.example';
    const onRemoved = async () => {};
    providers = await createProviders({ db, changes, vault, clock, log: silentLog, issuer, onRemoved });
  });
  after(async () => {
    vault.close();
    await db.close();
  });

  const github = (id: string, status = 'active') => ({
    id,
    status,
    provider_id: 'github',
    oauth2: { client_id: 'a' },
  });
  const declare = (...entries: object[]) => providers.applyFile(project, entries.map(request));
  const resolve = (id: string | null, providerId: string | null) =>
    providers.resolve(project, { id, providerId, scopes: [] });
  const missing = (result: Result<AuthProvider, Refusal>, words: RegExp) =>
    refused(result, 'credentials.not_configured', words);

  it('is the one of its kind; of several, the one whose id is its name', () => {
    declare(github('work'));
    assert.equal(value(resolve(null, 'github')).id, 'work');
    declare(github('work'), github('private'));
    missing(resolve(null, 'github'), /2 auth providers are of type github: the tool has to name one by id/);
    declare(github('work'), github('github'));
    assert.equal(value(resolve(null, 'github')).id, 'github');
    assert.equal(value(resolve('work', 'github')).id, 'work');
  });

  it('may be a custom one, by its id or as what the tool calls its kind', () => {
    declare(custom);
    assert.equal(value(resolve('crm', null)).id, 'crm');
    assert.equal(value(resolve(null, 'crm')).id, 'crm');
    assert.equal(value(resolve('crm', 'hubspot')).id, 'crm', 'whoever registers it says what it is');
  });

  it('is told what is missing', () => {
    declare(github('github', 'inactive'));
    missing(resolve(null, 'github'), /github is inactive: an administrator has to/);
    missing(resolve('github', null), /inactive/);
    missing(resolve(null, 'slack'), /slack is not set up here: an administrator has to register/i);
    missing(resolve('nope', 'github'), /auth provider nope is not set up here/);
    missing(resolve(null, null), /name an id or a provider_id/);
    declare(github('work'));
    missing(resolve('work', 'slack'), /is of type github, and the tool needs one of type slack/);
  });
});
