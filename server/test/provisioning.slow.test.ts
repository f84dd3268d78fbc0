import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type EraServer, startEraServer } from './era-server.ts';
import { clientCallback, type SigningIn, startSigningIn, toConsent } from './signing-in.ts';
import { type Json, messageOf } from './start-app.ts';

/** The company's directory says who there is, and in which groups; what follows for calls, at the very next one. */

let upstream: EraServer;
let signing: SigningIn;
let key: string;

before(async () => {
  upstream = await startEraServer('modern');
  signing = await startSigningIn(`
workers:
  - { id: upstream, mcp: { uri: "${upstream.uri}" } }
gateways:
  - { slug: members, auth_types: [arcade, arcade_header], access: granted }
  - { slug: sourced, auth_types: [user_source], user_source_ids: [corp], access: granted }
grants:
  - { subject: { group: Engineers }, tools: ["upstream.*"], effect: allow }
`);
  await signing.server.app.rooms.sources.refresh('default', 'upstream');
  const made = await signing.server.api('POST', '/v1/api_keys', { name: 'directory', scopes: ['provision'] });
  ({ key } = (await made.json()) as Json);
});
after(async () => {
  await signing?.close();
  await upstream?.close();
});

async function scim(method: string, path: string, body?: object): Promise<Json> {
  const response = await fetch(`${signing.server.url}/scim/v2${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/scim+json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text === '' ? null : JSON.parse(text);
}

const patch = (path: string, ...operations: object[]) => scim('PATCH', path, { Operations: operations });

/** A provisioned person, who is in no group. */
async function newUser(email: string): Promise<string> {
  const emails = [{ value: email, type: 'work', primary: true }];
  return (await scim('POST', '/Users', { userName: email, emails, active: true })).id;
}

/** How somebody comes to a gateway: what their requests carry. */
interface Way {
  readonly name: string;
  readonly slug: string;
  headers(login: string): Promise<Record<string, string>>;
}

async function tokenFor(slug: string, login: string): Promise<Record<string, string>> {
  const asked = await signing.authorization(slug);
  const { browser, page } = await toConsent(asked.url, login);
  const back = await browser.submit(page, { button: 'Allow', stopAt: clientCallback });
  const code = new URL(back.url).searchParams.get('code') ?? '';
  const { access_token: token } = await asked.token(code);
  return { authorization: `Bearer ${token}`, 'arcade-user-id': '' };
}

const ways: readonly Way[] = [
  {
    name: 'by an API key that acts for their address',
    slug: 'members',
    headers: async (login) => ({ 'arcade-user-id': `${login}@example.com` }),
  },
  { name: 'signed in as a member', slug: 'members', headers: (login) => tokenFor('members', login) },
  { name: 'signed in at the user source', slug: 'sourced', headers: (login) => tokenFor('sourced', login) },
];

for (const { name, slug, headers: headersOf } of ways) {
  describe(`somebody who comes ${name}`, () => {
    const login = 'alice';
    let headers: Record<string, string>;
    let person: string;
    let group: string;

    before(async () => {
      person = await newUser(`${login}@example.com`);
      headers = await headersOf(login);
    });
    after(async () => {
      await scim('DELETE', `/Groups/${group}`);
      await scim('DELETE', `/Users/${person}`);
    });

    const ask = (message: object) => signing.server.rpc(slug, { id: 1, ...message }, headers);
    const tools = async (): Promise<string[]> => {
      const { result } = await messageOf(await ask({ method: 'tools/list' }));
      return result.tools.map((tool: Json) => tool.name);
    };
    const call = async (tool: string) =>
      messageOf(await ask({ method: 'tools/call', params: { name: tool, arguments: { text: 'hello' } } }));

    test('has what their group was given, from the next request on, and has it no more once they are out', async () => {
      assert.deepEqual(await tools(), []);
      group = (await scim('POST', '/Groups', { displayName: 'Engineers' })).id;
      const path = `/Groups/${group}`;
      assert.deepEqual(await tools(), []);

      await patch(path, { op: 'Add', path: 'members', value: [{ value: person }] });
      const [tool = ''] = (await tools()).filter((one) => one.endsWith('Echo'));
      assert.ok(tool);
      assert.equal((await call(tool)).error, undefined);

      await patch(path, { op: 'Remove', path: 'members', value: [{ value: person }] });
      assert.deepEqual(await tools(), []);
      assert.equal((await call(tool)).error.code, -32602, 'as what is not there');

      await patch(path, { op: 'replace', path: 'members', value: [{ value: person }] });
      assert.equal((await call(tool)).error, undefined);
      await patch(path, { op: 'replace', value: { displayName: 'Other people' } });
      assert.deepEqual(await tools(), []);
      await scim('PUT', path, { displayName: 'Engineers', members: [{ value: person }] });
      assert.equal((await call(tool)).error, undefined);
    });

    test('is refused on the next request once they are deactivated, and comes in again when active', async () => {
      const path = `/Users/${person}`;
      const first = await ask({ method: 'tools/list' });
      assert.equal(first.status, 200);
      await patch(path, { op: 'Replace', path: 'active', value: 'False' });
      const refused = await ask({ method: 'tools/list' });
      assert.equal(refused.status, 401, await refused.text());
      await patch(path, { op: 'Replace', path: 'active', value: 'True' });
      headers = await headersOf(login);
      assert.equal((await ask({ method: 'tools/list' })).status, 200);
    });

    test('is refused once they are deleted, and is the same person when they are provisioned again', async () => {
      await scim('DELETE', `/Users/${person}`);
      assert.equal((await ask({ method: 'tools/list' })).status, 401);
      assert.equal(await newUser(`${login}@example.com`), person);
      headers = await headersOf(login);
      assert.deepEqual(await tools(), [], 'their groups were forgotten with them');
    });
  });
}

test('a sign-in from before the deactivation does not come back with the person', async () => {
  const person = await newUser('bob@example.com');
  const headers = await tokenFor('members', 'bob');
  const status = async () => {
    const { status } = await signing.server.rpc('members', { id: 1, method: 'tools/list' }, headers);
    return status;
  };
  assert.equal(await status(), 200);
  await patch(`/Users/${person}`, { op: 'replace', value: { active: false } });
  await patch(`/Users/${person}`, { op: 'replace', value: { active: true } });
  assert.equal(await status(), 401);
});

test('what the directory changed stands after a restart', async () => {
  const person = await newUser('carol@example.com');
  const group = (await scim('POST', '/Groups', { displayName: 'Lasting', members: [{ value: person }] })).id;
  await patch(`/Users/${person}`, { op: 'replace', value: { active: false } });
  await signing.server.restart();
  const { people } = signing.server.app.rooms.identity;
  assert.deepEqual(people.standing(person)?.groups, ['Lasting']);
  assert.equal(people.standing(person)?.active, false);
  assert.equal((await scim('GET', `/Groups/${group}`)).members[0].value, person);
  const key = { 'arcade-user-id': 'carol@example.com' };
  assert.equal((await signing.server.rpc('members', { id: 1, method: 'tools/list' }, key)).status, 401);
});
