import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createEgress, type Egress } from '#egress';
import { manualClock } from '#foundation';
import { type StandIn, startPlain } from '../../../test/oauth-providers/index.ts';
import { atStandIn, problemIn, valueIn } from './fixtures/at-stand-in.ts';

const clock = manualClock();

describe('what users enter', () => {
  let egress: Egress;
  let service: StandIn;
  before(async () => {
    egress = createEgress({ allow: ['127.0.0.1'] });
    service = await startPlain({ now: clock.now });
  });
  after(async () => {
    egress.close();
    await service.close();
  });

  function at(given: object) {
    const standIn = atStandIn(service, { egress, clock, given });
    const enter = async (entered: Record<string, string>) => {
      const { held } = await standIn.prepare();
      return standIn.authority.enter(standIn.target, held, entered);
    };
    return { ...standIn, enter };
  }

  /** A token that holds at the service, as a user would find it there. */
  async function key(as: string): Promise<string> {
    return valueIn(await atStandIn(service, { egress, clock }).consent([], as)).accessToken;
  }

  const check = () => ({ check_request: { endpoint: `${service.origin}/userinfo` } });

  it('is asked for by type, in the words of who registered it', async () => {
    const instructions = 'Datadog, Organization settings, API keys.';
    const labels = { api_key: 'Application key' };
    const { entry, host } = await at({ type: 'api_key', entry: { instructions, labels } }).prepare();
    const fields = [{ name: 'api_key', label: 'Application key', isSecret: true }];
    assert.deepEqual(entry, { instructions, fields });
    assert.equal(host, null);
    const basic = await at({ type: 'basic', description: 'Jenkins' }).prepare();
    assert.equal(basic.entry?.instructions, 'Enter your User name and Password of Jenkins.');
    assert.deepEqual(
      basic.entry?.fields.map(({ name, isSecret }) => [name, isSecret]),
      [
        ['username', false],
        ['password', true],
      ],
    );
  });

  it('is taken where the service takes it, and says whose it is', async () => {
    const token = await key('ann');
    const granted = valueIn(await at({ type: 'token', entry: check() }).enter({ token: ` ${token}\n` }));
    assert.equal(granted.accessToken, token);
    assert.equal(granted.subject, service.grantOf(token)?.user.id);
    assert.equal(granted.name, 'ann@example.com');
  });

  it('is refused where the service refuses it, without a word of what was entered', async () => {
    const problem = problemIn(await at({ type: 'token', entry: check() }).enter({ token: 'wrong-token-1' }));
    assert.equal(problem.kind, 'consent');
    assert.match(problem.words, /does not accept what you entered/);
    assert.doesNotMatch(JSON.stringify(problem), /wrong-token-1/);
  });

  it('is not blamed on the user where the service is out', async () => {
    service.outage = true;
    const problem = problemIn(await at({ type: 'token', entry: check() }).enter({ token: 'any' }));
    service.outage = false;
    assert.equal(problem.kind, 'passing');
  });

  it('goes in the header that was laid down, to be checked and to servers', async () => {
    const token = await key('bob');
    const header = { name: 'authorization', format: 'token {{token}}' };
    const provider = at({ type: 'api_key', header, entry: check() });
    assert.ok((await provider.enter({ api_key: token })).ok);
    assert.equal(service.requests.at(-1)?.headers.authorization, `token ${token}`);
    const { authority, target } = provider;
    assert.deepEqual(authority.headerOf(target, token), { name: 'authorization', value: `token ${token}` });
    assert.equal(at({ type: 'token' }).authority.headerOf(target, token), null);
  });

  it('joins user name and password as RFC 7617 has it', async () => {
    const { enter, authority, target } = at({ type: 'basic' });
    const granted = valueIn(await enter({ username: 'ann', password: 'pä:ss word' }));
    assert.equal(Buffer.from(granted.accessToken, 'base64').toString(), 'ann:pä:ss word');
    assert.equal(granted.name, 'ann');
    const { accessToken } = granted;
    assert.deepEqual(authority.headerOf(target, accessToken), {
      name: 'authorization',
      value: `Basic ${accessToken}`,
    });
  });

  for (const [type, entered] of [
    ['token', {}],
    ['token', { token: '  ' }],
    ['token', { token: 'two\r\nlines' }],
    ['token', { token: 'with space' }],
    ['token', { token: 'tökèn' }],
    ['token', { token: 'x'.repeat(9000) }],
    ['api_key', { token: 'a' }],
    ['basic', { username: '', password: 'p' }],
    ['basic', { username: 'a:b', password: 'p' }],
    ['basic', { username: 'a', password: 'p\nq' }],
  ] as const) {
    it(`is refused where it can be none: ${type} ${JSON.stringify(entered).slice(0, 40)}`, async () => {
      assert.equal(problemIn(await at({ type }).enter(entered as Record<string, string>)).kind, 'consent');
    });
  }

  it('cannot be taken back over there', async () => {
    const { authority, target, prepare } = at({ type: 'token' });
    const tokens = { accessToken: 'a', refreshToken: null, scopes: [] };
    assert.equal(valueIn(await authority.revoke(target, (await prepare()).held, tokens)), 'unsupported');
  });
});
