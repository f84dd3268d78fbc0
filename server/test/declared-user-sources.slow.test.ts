import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type IdentityProvider, startIdentityProvider } from './identity-provider.ts';
import { type Json, startApp, type TestApp } from './start-app.ts';

/** User sources of the config file act as soon as it is saved, may be internal, and are read-only in the API. */

let app: TestApp;
let idp: IdentityProvider;
let plain: string;

before(async () => {
  idp = await startIdentityProvider({ preset: 'okta' });
  app = await startApp('gateways:\n  - { slug: eng, auth_type: user_source, user_source_ids: [corp] }\n');
  plain = readFileSync(app.configPath, 'utf8');
});
after(async () => {
  await app?.close();
  await idp?.close();
});

async function declare(text: string, isThere: (items: Json[]) => boolean): Promise<Json> {
  writeFileSync(app.configPath, plain + text);
  for (;;) {
    const { items } = (await (await app.api('GET', '/v1/user_sources')).json()) as Json;
    if (isThere(items)) return items[0];
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const source = (more = '') =>
  `user_sources:\n  - { id: corp, preset: okta, issuer: "${idp.issuer}", client_id: ${idp.clientId}, client_secret: { value: "${idp.clientSecret}" }${more} }\n`;

test('a gateway that names a user source which is not there is told of, until there is one', async () => {
  const ready = async () => JSON.stringify(await (await fetch(`${app.url}/readyz`)).json());
  assert.match(await ready(), /nobody signs in by user source \\"corp\\"/);
  await declare(source(), (items) => items.length === 1);
  assert.doesNotMatch(await ready(), /nobody signs in/);
});

test('it is tried, shown without its secret, and changed only in the file', async () => {
  const shown = await declare(source(', name: Corp'), ([one]) => one?.name === 'Corp');
  assert.equal(shown.redirect_uri, `${app.url}/oauth2/callback/corp`);
  assert.equal(JSON.stringify(shown).includes(idp.clientSecret), false);
  const tried = (await (await app.api('POST', '/v1/user_sources/corp/test')).json()) as Json;
  assert.equal(tried.success, true, JSON.stringify(tried));
  for (const method of ['PATCH', 'DELETE']) {
    const refused = await app.api(method, '/v1/user_sources/corp', method === 'PATCH' ? {} : undefined);
    assert.equal(((await refused.json()) as Json).name, 'resource.read_only', method);
  }
  await declare('', (items) => items.length === 0);
});
