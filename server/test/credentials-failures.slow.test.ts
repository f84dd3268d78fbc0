import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { type Acting, linkIn, redirectUriOf, startActing } from './acting.ts';
import { createBrowser, type Page } from './browser.ts';
import {
  consentAt,
  type LiarStandIn,
  type Lie,
  type SlowStandIn,
  type StandIn,
  startGitHub,
  startGoogle,
  startLiar,
  startSlow,
} from './oauth-providers/index.ts';
import type { Json } from './start-app.ts';

/** Nothing stays pending: whatever a provider does, the authorization fails with a code, a reason and an advice, for all who look. */

const quarterHourMs = 15 * 60_000;
let count = 0;

/** How one authorization ends, as everybody sees it who can. */
interface Ended {
  readonly error: { readonly code: string; readonly message: string; readonly advice: string };
  /** What the browser shows in the end; `null`: it never came back. */
  readonly page: Page | null;
}

/**
 * One authorization that fails. While `walk` is what the user does in the browser, an application waits for its end by long poll, and
 * an agent by the question that it was asked.
 */
async function failing(
  acting: Acting,
  walk: (url: string, user: string) => Promise<Page | null>,
  keptScopes: readonly string[] | null = null,
): Promise<Ended> {
  const user = `user-${++count}`;
  const agent = agentOf(acting, user);
  const asked = await agent.ask();
  const { id, url } = await acting.authorize(user);
  assert.equal(url, asked.url, 'whoever asks for the same gets the same');
  const application = acting.status(id, 50);
  const waiting = agent.wait();
  // Both are there before anything happens: what a client brings back is not good for ever.
  await acting.app.records();
  const page = await walk(url, user);
  const { httpStatus, body } = await application;
  assert.deepEqual([httpStatus, body.status, body.id], [200, 'failed', id], JSON.stringify(body));
  const { error } = body;
  assert.match(error.code, /^[a-z0-9_]{3,64}$/);
  for (const words of [error.message, error.advice]) assert.match(words, /\w+ \w+/, JSON.stringify(error));

  const again = await acting.status(id);
  assert.equal(again.httpStatus, 400);
  assert.equal(again.body.name, 'credentials.authorization_failed');

  const told = await waiting;
  assert.equal(told.isError, true);
  const refusal = told._meta['sallyport/refusal'];
  assert.equal(refusal.code, 'credentials.authorization_failed', JSON.stringify(told));
  assert.ok(told.content[0].text.includes(error.message), `${told.content[0].text} | ${error.message}`);

  const records = await acting.app.records(`&kind=credential&user_id=${user}`);
  const failures = records.filter(({ decision }) => decision !== 'allowed');
  assert.equal(failures.length, 1, JSON.stringify(records));
  assert.ok(JSON.stringify(failures[0]).includes(error.code), JSON.stringify(failures[0]));
  const kept = (await acting.connectionsOf(user)).map(({ scopes }) => scopes);
  assert.deepEqual(kept, keptScopes === null ? [] : [keptScopes]);
  if (page !== null) {
    const shown = page.text.toLowerCase();
    for (const words of [error.message, error.advice])
      assert.ok(shown.includes(words.toLowerCase()), `${page.text} | ${words}`);
  }
  return { error, page };
}

/** A client of today that opens links: it is asked, and comes back at once to wait for the end. */
function agentOf(acting: Acting, user: string) {
  const prefix = 'io.modelcontextprotocol/';
  let state: string;
  async function send(more: object): Promise<Json> {
    const meta = {
      [`${prefix}protocolVersion`]: '2026-07-28',
      [`${prefix}clientCapabilities`]: { elicitation: { url: {} } },
      [`${prefix}clientInfo`]: { name: 'test', version: '1' },
    };
    const params = { name: 'Acting_Read', arguments: {}, ...more, _meta: meta };
    const headers = {
      'arcade-user-id': user,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'Acting_Read',
    };
    const answer = await acting.app.rpc('main', { id: 1, method: 'tools/call', params }, headers);
    return ((await answer.json()) as Json).result;
  }
  return {
    async ask(): Promise<{ url: string }> {
      const result = await send({});
      assert.equal(result.resultType, 'input_required', JSON.stringify(result));
      state = result.requestState;
      return result.inputRequests.authorization.params;
    },
    wait: () => send({ requestState: state, inputResponses: { authorization: { action: 'accept' } } }),
  };
}

/** Afterwards the user can consent as if nothing had been. */
async function worksAfterwards(acting: Acting): Promise<void> {
  const user = `user-${++count}`;
  const page = await consentAt(linkIn(await acting.call(user)), { as: user, allow: true });
  assert.match(page.text, /is connected/);
  assert.equal(await acting.actsAs(user), user);
}

/** The provider as it is set up here. */
function restore({ app, provider }: Acting): void {
  provider.testers = null;
  provider.change = null;
  provider.withheld.clear();
  provider.clientSecret = String(provider.settings.client_secret);
  provider.redirectUris.add(redirectUriOf(app.url, provider));
}

const allow = (url: string, as: string) => consentAt(url, { as, allow: true });

describe('an authorization at Google', () => {
  let acting: Acting<StandIn>;
  before(async () => {
    acting = await startActing(startGoogle);
  });
  after(() => acting?.close());
  afterEach(() => restore(acting));

  it('fails where the app is in test mode and the user is none of its testers', async () => {
    acting.provider.testers = new Set(['somebody else']);
    const { error } = await failing(acting, allow);
    assert.equal(error.code, 'access_denied');
    assert.match(error.advice, /test/i);
  });

  it('fails where the user says no', async () => {
    const { error } = await failing(acting, (url, as) => consentAt(url, { as, allow: false }));
    assert.equal(error.code, 'access_denied');
  });

  it('fails where the client secret is wrong', async () => {
    const { error, page } = await failing(acting, async (url, as) => {
      acting.provider.clientSecret = 'another secret';
      return await allow(url, as);
    });
    assert.equal(error.code, 'invalid_client');
    assert.match(error.advice, /secret/);
    assert.equal(page?.status, 400);
  });

  it('fails where the user did not give the scope that is needed, and what they gave is kept', async () => {
    acting.provider.withheld.add('read');
    // As Google, which always gives something.
    acting.provider.change = (answer, { place }) =>
      place === 'token' ? { ...answer, body: answer.body.replace('"scope":""', '"scope":"openid"') } : answer;
    const { error } = await failing(acting, allow, ['openid']);
    assert.equal(error.code, 'scope_not_granted');
    assert.match(error.message, /read/);
  });

  it('fails where the redirect URI is not registered, which leaves the browser on a page over there', async () => {
    acting.provider.redirectUris.clear();
    const { error } = await failing(acting, async (url, as) => {
      const lost = await consentAt(url, { as, allow: true });
      assert.ok(lost.url.startsWith(acting.provider.origin));
      acting.clock.forward(quarterHourMs);
      return null;
    });
    assert.equal(error.code, 'expired');
    assert.match(error.advice, /redirect URI/i);
  });

  it('fails where nobody opens the address in time, which then leads nowhere', async () => {
    let link = '';
    const { error } = await failing(acting, async (url) => {
      link = url;
      acting.clock.forward(quarterHourMs);
      return null;
    });
    assert.equal(error.code, 'expired');
    const page = await createBrowser().open(link);
    assert.ok(page.status >= 400, String(page.status));
    assert.equal(page.forms.filter(({ action }) => action.includes('/connect/')).length, 0);
  });

  it('fails where the answer comes too late', async () => {
    const { error } = await failing(acting, async (url, as) => {
      const stopAt = `${acting.app.url}/connect/callback/`;
      const browser = createBrowser();
      const answer = await consentAt(url, { as, allow: true, browser, stopAt });
      acting.clock.forward(quarterHourMs);
      const page = await browser.open(answer.url);
      assert.ok(page.status >= 400, String(page.status));
      return null;
    });
    assert.equal(error.code, 'expired');
    assert.equal(acting.provider.requests.at(-1)?.place === 'token', false, 'the code was not redeemed');
  });

  it('works after all of that', () => worksAfterwards(acting));
});

describe('an authorization at GitHub', () => {
  let acting: Acting<StandIn>;
  before(async () => {
    acting = await startActing(startGitHub);
  });
  after(() => acting?.close());
  afterEach(() => restore(acting));

  it('fails with the advice of what to register where the redirect URI is wrong', async () => {
    acting.provider.redirectUris.clear();
    const { error } = await failing(acting, async (url, as) => {
      const page = await consentAt(url, { as, allow: true });
      if (page.url.startsWith(acting.app.url)) return page;
      acting.clock.forward(quarterHourMs);
      return null;
    });
    assert.match(error.advice, /redirect URI|callback/i);
  });

  it('fails where the client secret is wrong, though GitHub says 200', async () => {
    acting.provider.clientSecret = 'another secret';
    const { error } = await failing(acting, allow);
    assert.match(error.advice, /secret/);
  });

  it('works after all of that', () => worksAfterwards(acting));
});

describe('an authorization at a provider that does not answer', () => {
  let acting: Acting<SlowStandIn>;
  before(async () => {
    acting = await startActing(startSlow);
  });
  after(async () => {
    acting.provider.release();
    await acting.close();
  });

  it('fails in time, and says that it is worth another try', async () => {
    const { error, page } = await failing(acting, allow);
    assert.match(`${error.message} ${error.advice}`, /again|later/i);
    assert.ok(page !== null);
  });
});

describe('an authorization at a provider that is out of order', () => {
  let acting: Acting<StandIn>;
  before(async () => {
    acting = await startActing(startGoogle);
  });
  after(() => acting?.close());

  it('fails, and succeeds after it', async () => {
    acting.provider.before = ({ place }) => {
      if (place === 'token') acting.provider.outage = true;
    };
    const { error } = await failing(acting, allow);
    assert.match(`${error.message} ${error.advice}`, /again|later/i);
    acting.provider.before = null;
    acting.provider.outage = false;
    await worksAfterwards(acting);
  });
});

describe('an authorization at a provider that lies', () => {
  let acting: Acting<LiarStandIn>;
  before(async () => {
    acting = await startActing(startLiar);
  });
  after(() => acting?.close());
  afterEach(() => {
    acting.provider.lie = null;
    acting.provider.iss = null;
  });

  const lies: readonly Lie[] = [
    'oversized_token',
    'endless',
    'not_json',
    'html',
    'an_array',
    'nothing',
    'no_token',
    'empty_token',
    'token_is_number',
    'token_with_line_breaks',
    'error_with_secret',
    'error_in_words',
    'error_with_200',
    'error_object',
    'busy',
    'failing',
    'redirects_to_private',
  ];
  for (const lie of lies) {
    it(`fails with none of its words: ${lie}`, async () => {
      acting.provider.lie = lie;
      const { error, page } = await failing(acting, allow);
      assert.doesNotMatch(JSON.stringify([error, page?.html]), /hunter2|<script>alert|Dear user|hotel|oops/);
      assert.equal(acting.provider.asked.other, 0, 'no redirect was followed');
    });
  }

  it('fails where the answer names another issuer than it should, and the code is redeemed nowhere', async () => {
    acting.provider.iss = 'https://evil.example';
    const before = acting.provider.asked.token;
    const { error } = await failing(acting, allow);
    assert.equal(error.code, 'answer_invalid');
    assert.match(error.message, /its iss is missing, or another/);
    assert.equal(acting.provider.asked.token, before);
  });

  it('works as soon as it tells the truth', () => worksAfterwards(acting));
});
