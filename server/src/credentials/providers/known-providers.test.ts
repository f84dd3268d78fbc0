import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { createAuthProviderRequest, placeholdersIn } from '@sallyport/contracts';
import { completed } from './complete.ts';
import { knownProvider, knownProviders } from './known/known-providers.ts';
import type { KnownProvider } from './known-provider.ts';

/** Those that tools of the Arcade SDK name. */
const ofSdk =
  'asana atlassian attio clickup discord dropbox figma github google hubspot linear linkedin microsoft microsoft-powerbi notion pagerduty reddit slack spotify twitch x zoom';
const others =
  'airtable calendly canva cisco-duo freshservice gitlab intuit mailchimp miro salesforce sentry servicenow snowflake square ticktick workday zendesk zoho';
const helpers = ['code-flow.ts', 'entra.ts', 'known-providers.ts'];

/** As somebody sets it up, with the example of each variable. */
function setUp({ id, variables = {} }: KnownProvider) {
  const examples = Object.entries(variables).map(([name, { example }]) => [name, example]);
  const complete = completed({
    id,
    type: 'oauth2',
    provider_id: id,
    variables: Object.fromEntries(examples),
    oauth2: { client_id: 'the-client', client_secret: 'the-secret' },
  });
  assert.ok(complete.ok, JSON.stringify(complete));
  assert.ok(complete.value.oauth2 !== null);
  return complete.value.oauth2;
}

type Settings = ReturnType<typeof setUp>;
type Asked = NonNullable<Settings['token_request']>;

function requestsOf(settings: Settings): readonly (readonly [string, Asked])[] {
  return Object.entries(settings).filter(([name]) => name.endsWith('_request')) as [string, Asked][];
}

const saidIn = ({ params = {} }: Asked) => Object.values(params).flatMap((text) => placeholdersIn(text));

function rowOf({ id, label, docsUrl, registerUrl, variables = {}, defaultScopes, settings }: KnownProvider) {
  const list = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ') || 'none';
  const named = Object.entries(variables).map(([name, { default: usual }]) =>
    usual === undefined ? name : `${name}: ${usual}`,
  );
  const renewed = settings.refresh_request === undefined ? 'no' : 'yes';
  const cells = [
    `[\`${id}\`](${docsUrl})`,
    `[${label}](${registerUrl})`,
    list(named),
    list(defaultScopes),
    renewed,
  ];
  return `| ${cells.join(' | ')} |`;
}

describe('the well-known providers', () => {
  it('are those that tools name, and those that are documented, each in a file of its name', () => {
    const ids = knownProviders.map(({ id }) => id);
    assert.deepEqual(ids, `${ofSdk} ${others}`.split(' ').sort());
    const files = readdirSync(new URL('./known/', import.meta.url)).filter((file) => !helpers.includes(file));
    assert.deepEqual(files.sort(), ids.map((id) => `${id}.ts`).sort());
    for (const id of ids) {
      assert.equal(knownProvider(id)?.id, id);
      const text = readFileSync(new URL(`./known/${id}.ts`, import.meta.url), 'utf8');
      assert.match(text, /\/\/ https:\/\/\S+/, `${id} says where its facts are from`);
    }
    assert.equal(knownProvider('constructor'), null);
  });

  for (const known of knownProviders) {
    it(`${known.id} is complete with a client and its variables, and speaks only https`, () => {
      const settings = setUp(known);
      assert.ok(known.label !== '' && known.registerNote.endsWith('.'));
      for (const url of [known.docsUrl, known.registerUrl]) assert.equal(new URL(url).protocol, 'https:');
      for (const [name, { endpoint }] of requestsOf(settings)) {
        assert.equal(new URL(endpoint).protocol, 'https:', name);
        assert.doesNotMatch(endpoint, /[{}]/, name);
      }
      for (const [code, advice] of Object.entries(known.advice ?? {})) assert.match(advice, /\.$/, code);
    });

    it(`${known.id} sends what the flow needs, and its secret once and never in an address`, () => {
      const settings = setUp(known);
      const { authorize_request, token_request, refresh_request } = settings;
      const inAddress = saidIn(authorize_request);
      for (const name of ['client_id', 'redirect_uri']) assert.ok(inAddress.includes(name), name);
      for (const name of ['client_secret', 'access_token', 'refresh_token'])
        assert.ok(!inAddress.includes(name), name);
      assert.equal(authorize_request.params?.response_type, 'code');
      for (const request of [token_request, refresh_request]) {
        if (request === undefined) continue;
        const said = saidIn(request);
        const isBasic = request.auth_method === 'client_secret_basic';
        assert.equal(said.includes('client_secret'), !isBasic);
        assert.equal(said.includes('client_id'), !isBasic);
      }
      assert.ok(saidIn(token_request).includes('redirect_uri'));
      if (refresh_request !== undefined) assert.ok(saidIn(refresh_request).includes('refresh_token'));
      assert.equal(typeof settings.pkce?.enabled, 'boolean', 'says whether there is PKCE');
      const asksScopes = inAddress.includes('scopes');
      assert.ok(asksScopes || known.defaultScopes.length === 0, 'default scopes that nobody is asked for');
    });
  }

  it('take as variables nothing that would lead elsewhere', () => {
    for (const { id, variables = {} } of knownProviders)
      for (const [name, { example, default: usual, pattern }] of Object.entries(variables)) {
        for (const fine of [example, ...(usual === undefined ? [] : [usual])])
          assert.match(fine, pattern, `${id} ${name}`);
        for (const evil of [
          '',
          'evil.example/',
          'evil.example#',
          'evil.example?',
          'a@evil.example',
          'evil.example:443',
          'evil.example\\',
          'a b',
          'a\n',
          '..',
          '.',
          '%2e',
          '{{scopes}}',
          `${'a.'.repeat(200)}example`,
        ])
          assert.doesNotMatch(evil, pattern, `${id} ${name} ${JSON.stringify(evil)}`);
      }
  });

  it('stand in docs/guides/providers.md, each in a row that says what is so', () => {
    const page = readFileSync(new URL('../../../../docs/guides/providers.md', import.meta.url), 'utf8');
    const table = page.split('\n').filter((line) => /^\| \[`/.test(line));
    assert.deepEqual(table, knownProviders.map(rowOf));
  });

  it('and what the guide shows of providers is taken as it stands', () => {
    const page = readFileSync(new URL('../../../../docs/guides/providers.md', import.meta.url), 'utf8');
    const examples = [...page.matchAll(/```json\n([\s\S]+?)```/g)].map(([, text = '']) => JSON.parse(text));
    assert.equal(examples.length, 5);
    for (const example of examples) {
      const complete = completed(createAuthProviderRequest.parse(example));
      assert.ok(complete.ok, JSON.stringify(complete));
    }
  });

  it('that need variables say so', () => {
    const asked = { id: 'z', type: 'oauth2', provider_id: 'zendesk', oauth2: { client_id: 'c' } } as const;
    const missing = completed(asked);
    assert.ok(!missing.ok);
    assert.equal(missing.error.field, 'variables.subdomain');
    assert.match(missing.error.message, /is required: what stands before \.zendesk\.com, such as acme/);
    const wrong = completed({ ...asked, variables: { subdomain: 'evil.example/' } });
    assert.ok(!wrong.ok);
    assert.equal(wrong.error.field, 'variables.subdomain');
    const fine = completed({ ...asked, variables: { subdomain: 'acme' } });
    assert.ok(fine.ok);
    assert.equal(fine.value.oauth2?.token_request.endpoint, 'https://acme.zendesk.com/oauth/tokens');
  });
});
