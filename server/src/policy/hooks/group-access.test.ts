import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { CreatePluginRequest } from '@sallyport/contracts';
import { startDirectory } from './fixtures/directory-server.ts';
import { alice, startHooked, toolOf } from './fixtures/hooked.ts';

let hooked: Awaited<ReturnType<typeof startHooked>>;
let directory: Awaited<ReturnType<typeof startDirectory>>;
before(async () => {
  hooked = await startHooked();
});
beforeEach(async () => {
  directory = await startDirectory();
});
afterEach(async () => {
  await hooked.clear();
  await directory.close();
});
after(() => hooked?.close());

type Config = NonNullable<CreatePluginRequest['group_access_config']>;
type Rules = Config['rules'];

const send = toolOf('Slack.SendMessage');
const list = toolOf('Slack.ListChannels');
const other = toolOf('Github.CreateIssue');

async function ask(userId: string | null = 'alice') {
  const answer = await hooked.asking.access('p', { ...alice, userId }, [send, list, other], null);
  return {
    shown: [send, list, other].filter((tool) => answer.allows(tool)).map(({ name }) => name),
    trace: answer.traces[0],
  };
}

const add = (config: Config) =>
  hooked.add({ name: 'groups', plugin_type: 'group_access', group_access_config: config });
const okta = (rules: Rules): Config => ({
  backend: 'okta',
  okta: { org_url: directory.url, api_token: 'okta-token' },
  rules,
});
const slackFor = (...required_groups: string[]): Rules => [{ match: 'Slack.*', required_groups }];

describe('the plugin type group_access', () => {
  const member =
    (...names: string[]) =>
    () =>
      [200, names.map((name) => ({ id: `00g_${name}`, profile: { name } }))] as const;

  it('shows a tool to members of one of its groups, by name or id, and what no rule matches to everybody', async () => {
    await add(okta(slackFor('Sales', '00g_Support')));
    directory.answer = member('Everyone');
    assert.deepEqual((await ask()).shown, ['CreateIssue']);
    directory.answer = member('Sales');
    assert.deepEqual((await ask('bob')).shown, ['SendMessage', 'ListChannels', 'CreateIssue']);
    directory.answer = member('Support');
    assert.deepEqual((await ask('carol')).shown, ['SendMessage', 'ListChannels', 'CreateIssue']);
  });

  it('goes by the most specific match alone', async () => {
    await add(
      okta([
        { match: '*', required_groups: ['Staff'] },
        { match: 'Slack.*', required_groups: ['Sales'] },
        { match: 'Slack.ListChannels', required_groups: ['Guests'] },
      ]),
    );
    directory.answer = member('Guests', 'Staff');
    assert.deepEqual((await ask()).shown, ['ListChannels', 'CreateIssue']);
  });

  it('keeps what the directory said for five minutes, for each user', async () => {
    await add(okta(slackFor('Sales')));
    directory.answer = member('Sales');
    await ask();
    directory.answer = member();
    assert.deepEqual((await ask()).shown.length, 3);
    assert.equal((await ask()).trace?.cached, true);
    assert.equal(directory.asked.length, 1);
    assert.equal((await ask('bob')).shown.length, 1);
    hooked.clock.advance(5 * 60_000);
    assert.equal((await ask()).shown.length, 1);
  });

  it('asks once about a user whom several ask about at once, and not at all where no rule matches', async () => {
    await add(okta(slackFor('Sales')));
    directory.answer = member('Sales');
    await Promise.all([ask(), ask(), ask()]);
    assert.equal(directory.asked.length, 1);
    await hooked.asking.access('p', { ...alice, userId: 'dave' }, [other], null);
    assert.equal(directory.asked.length, 1);
  });

  it('hides what its rules match while the directory does not answer, unless a rule says otherwise', async () => {
    await add(
      okta([
        { match: 'Slack.SendMessage', required_groups: ['Sales'] },
        { match: 'Slack.ListChannels', required_groups: ['Sales'], allow_on_unavailable: true },
      ]),
    );
    const { shown, trace } = await ask();
    assert.deepEqual(shown, ['ListChannels', 'CreateIssue']);
    assert.deepEqual([trace?.code, trace?.error], ['failed', 'the directory answered HTTP 500']);
    directory.answer = member('Sales');
    assert.equal((await ask()).shown.length, 3);
  });

  it('takes nobody for a member by the form of their name', async () => {
    await add(okta(slackFor('Sales')));
    directory.answer = member('Sales');
    for (const userId of [null, '', '.', '..', 'me', 'ME', '\ud800'])
      assert.deepEqual((await ask(userId)).shown, ['CreateIssue'], String(userId));
    assert.equal(directory.asked.length, 0);
    await ask('../groups?x=#');
    assert.equal(directory.asked[0]?.url, '/api/v1/users/..%2Fgroups%3Fx%3D%23/groups?limit=200');
  });
});

describe('Okta', () => {
  it('is asked with the API token, page by page on its own origin', async () => {
    await add(okta(slackFor('Sales')));
    const link = (url: string) => ({ link: `<${directory.url}/self>; rel="self", <${url}>; rel="next"` });
    directory.answer = ({ url }) =>
      url.includes('after=2')
        ? [200, [{ id: '2', profile: { name: 'Sales' } }]]
        : [200, [{ id: '1', profile: { name: 'Everyone' } }], link(`${directory.url}${url}&after=2`)];
    assert.equal((await ask()).shown.length, 3);
    assert.deepEqual(
      directory.asked.map(({ url, headers }) => [url, headers.authorization]),
      [
        ['/api/v1/users/alice/groups?limit=200', 'SSWS okta-token'],
        ['/api/v1/users/alice/groups?limit=200&after=2', 'SSWS okta-token'],
      ],
    );
    directory.answer = () => [
      200,
      [{ id: '1', profile: { name: 'Sales' } }],
      link('http://127.0.0.2:1/steal'),
    ];
    const { shown, trace } = await ask('bob');
    assert.deepEqual(shown, ['CreateIssue']);
    assert.match(trace?.error ?? '', /next page elsewhere/);
  });

  it('that does not know the user says that they are in no group', async () => {
    await add(okta(slackFor('Sales')));
    directory.answer = () => [404, { errorCode: 'E0000007' }];
    const { shown, trace } = await ask();
    assert.deepEqual([shown, trace?.code], [['CreateIssue'], 'CHECK_FAILED']);
  });
});

const token = { access_token: 'a-token', expires_in: 3600 };

describe('Entra', () => {
  it('is asked over Graph with a token of the client, page by page, and anew where the token is refused', async () => {
    await add({
      backend: 'entra',
      entra: {
        tenant_id: 'contoso.test',
        client_id: 'client',
        client_secret: 's3cret',
        login_url: directory.url,
        base_url: directory.url,
      },
      rules: slackFor('Sales'),
    });
    let refusals = 1;
    directory.answer = ({ method, url, headers }) => {
      if (method === 'POST') return [200, token];
      if (headers.authorization !== 'Bearer a-token') return [401, {}];
      if (refusals-- > 0) return [401, {}];
      if (url.includes('skip'))
        return [200, { value: [{ '@odata.type': '#microsoft.graph.group', id: '2', displayName: 'Sales' }] }];
      return [
        200,
        { value: [{ id: '1', displayName: 'All' }], '@odata.nextLink': `${directory.url}/v1.0/next?skip=1` },
      ];
    };
    const { shown, trace } = await ask('alice@contoso.test');
    assert.equal(shown.length, 3, trace?.error);
    const [first] = directory.asked;
    assert.equal(first?.url, '/contoso.test/oauth2/v2.0/token');
    assert.deepEqual(Object.fromEntries(new URLSearchParams(first?.body)), {
      grant_type: 'client_credentials',
      client_id: 'client',
      client_secret: 's3cret',
      scope: `${directory.url}/.default`,
    });
    const of = '/v1.0/users/alice%40contoso.test/memberOf?$select=id,displayName&$top=999';
    assert.deepEqual(
      directory.asked.slice(1).map(({ url }) => url),
      [of, '/contoso.test/oauth2/v2.0/token', of, '/v1.0/next?skip=1'],
    );
    await ask('bob@contoso.test');
    assert.equal(directory.asked.filter(({ method }) => method === 'POST').length, 2);
    directory.answer = () => [200, { value: [], '@odata.nextLink': 'http://127.0.0.2:1/steal' }];
    assert.match((await ask('carol')).trace?.error ?? '', /next page elsewhere/);
  });
});

describe('SailPoint', () => {
  it('is searched for the one identity of that very name; its access counts', async () => {
    await add({
      backend: 'sailpoint',
      sailpoint: { tenant_url: directory.url, client_id: 'client', client_secret: 's3cret' },
      rules: slackFor('Sales'),
    });
    const found = { name: 'alice', access: [{ id: '1', name: 'Sales', type: 'ACCESS_PROFILE' }] };
    let identities: object[] = [{ ...found, name: 'alice2' }, found];
    directory.answer = ({ url }) => (url === '/oauth/token' ? [200, token] : [200, identities]);
    assert.equal((await ask()).shown.length, 3);
    assert.equal(directory.asked[1]?.url, '/v3/search?limit=50');
    assert.equal(directory.asked[1]?.headers.authorization, 'Bearer a-token');
    identities = [
      { ...found, name: 'else', email: 'bob' },
      { ...found, attributes: { uid: 'BOB' } },
    ];
    assert.match((await ask('bob')).trace?.error ?? '', /several users/);
    await ask('a" OR name:"*');
    const { query } = JSON.parse(directory.asked.at(-1)?.body ?? '').query;
    assert.ok(query.startsWith('name:"a\\" OR name:\\"*" OR '), query);
  });
});
