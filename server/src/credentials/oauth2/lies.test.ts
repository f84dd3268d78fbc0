import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createEgress, type Egress } from '#egress';
import { manualClock } from '#foundation';
import { type LiarStandIn, type Lie, lies, startLiar } from '../../../test/oauth-providers/index.ts';
import { type AtStandIn, atStandIn, problemIn, tokensOf, valueIn } from './fixtures/at-stand-in.ts';

/** What it comes to; where it is a problem, of a code and of a refresh token. */
const outcomes: Readonly<Record<Lie, readonly [exchange: string, renewal: string, words: RegExp] | null>> = {
  oversized_token: ['broken', 'broken', /too long/],
  endless: ['broken', 'broken', /answered with more than/],
  not_json: ['broken', 'broken', /no token answer/],
  html: ['broken', 'broken', /no token answer/],
  an_array: ['broken', 'broken', /no token answer/],
  nothing: ['broken', 'broken', /no token answer/],
  no_token: ['broken', 'broken', /without a token/],
  empty_token: ['broken', 'broken', /without a token/],
  token_is_number: ['broken', 'broken', /without a token/],
  token_with_line_breaks: ['broken', 'broken', /a header cannot carry/],
  token_beyond_ascii: ['broken', 'broken', /a header cannot carry/],
  refresh_token_oversized: ['broken', 'broken', /too long/],
  wrong_token_type: ['broken', 'broken', /another type than bearer/],
  expires_negative: null,
  expires_huge: null,
  expires_string: null,
  expires_words: null,
  error_with_secret: ['consent', 'consent', /\(invalid_grant\)$/],
  error_in_words: ['broken', 'consent', /\(HTTP 400\)$/],
  error_with_200: ['consent', 'consent', /\(invalid_grant\)$/],
  error_object: ['broken', 'consent', /\(HTTP 400\)$/],
  busy: ['passing', 'passing', /failed, or is busy \(HTTP 429\)$/],
  failing: ['passing', 'passing', /failed, or is busy \(HTTP 500\)$/],
  redirects_to_private: ['broken', 'broken', /sends the request on to another address/],
};

const clock = manualClock();

describe('a provider that lies', () => {
  let egress: Egress;
  let liar: LiarStandIn;
  let at: AtStandIn;
  before(async () => {
    egress = createEgress({ allow: ['127.0.0.1'] });
    liar = await startLiar({ now: clock.now });
    at = atStandIn(liar, { egress, clock });
  });
  after(async () => {
    egress.close();
    await liar.close();
  });
  beforeEach(() => {
    liar.lie = null;
  });

  for (const lie of lies) {
    const outcome = outcomes[lie];
    if (outcome === null) continue;
    const [exchange, renewal, words] = outcome;
    it(`is found out: ${lie}`, async () => {
      const granted = valueIn(await at.consent(['read']));
      liar.lie = lie;
      const problem = problemIn(await at.consent(['read']));
      assert.equal(problem.kind, exchange);
      assert.match(problem.words, words);
      assert.notEqual(problem.advice, '');
      const { held } = await at.prepare();
      const again = problemIn(await at.authority.renew(at.target, held, tokensOf(granted)));
      assert.equal(again.kind, renewal);
      const told = JSON.stringify([problem, again]);
      assert.doesNotMatch(told, /hunter2|script|Dear|aaaa|hotel|oops|x-admin/);
      for (const secret of [...liar.given, ...liar.codes, liar.clientSecret])
        assert.ok(!told.includes(secret));
      assert.equal(liar.asked.other, 0);
    });
  }

  for (const [lie, lifeMs] of [
    ['expires_negative', null],
    ['expires_words', null],
    ['expires_string', 3_600_000],
    ['expires_huge', 10 * 365 * 24 * 3_600_000],
  ] as const) {
    it(`gives tokens for a time that makes sense: ${lie}`, async () => {
      liar.lie = lie;
      const { expiresAtMs } = valueIn(await at.consent(['read']));
      assert.equal(expiresAtMs, lifeMs === null ? null : clock.now() + lifeMs);
    });
  }

  it('is not believed to be somebody else', async () => {
    const { held } = await at.prepare();
    const isAnswer = (iss: string | null) => at.authority.isAnswerOf(at.target, held, iss);
    assert.ok(isAnswer(null));
    assert.ok(isAnswer(liar.origin));
    assert.ok(isAnswer(`${liar.origin}/tenant/v2.0`));
    for (const iss of ['https://accounts.google.com', `${liar.origin}.evil.example`, 'liar', '']) {
      assert.equal(isAnswer(iss), false, iss);
    }
  });
});
