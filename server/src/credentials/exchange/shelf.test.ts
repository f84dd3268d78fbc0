import assert from 'node:assert/strict';
import { beforeEach, it } from 'node:test';
import { refusal } from '#domain';
import { err, manualClock, ok } from '#foundation';
import { createTokenShelf, type GetToken, type Got, type TokenShelf } from './shelf.ts';

let clock: ReturnType<typeof manualClock>;
let shelf: TokenShelf;
let end: (id: string | null) => void;
let asked: number;
const nothingRefused = { token: null, isInsufficient: false };

beforeEach(() => {
  clock = manualClock();
  asked = 0;
  const on = (_topic: string, listener: typeof end) => {
    end = listener;
  };
  shelf = createTokenShelf({ changes: { on }, clock });
});

function give(more: Partial<Got> = {}) {
  return async () => {
    asked++;
    const expiresAtMs = clock.now() + 600_000;
    return ok({ token: `token-${asked}`, scopes: [], expiresAtMs, signInId: 'sgn_other', ...more });
  };
}

const take = async (
  get: GetToken = give(),
  refused = nothingRefused as { token: string | null; isInsufficient: boolean },
) => {
  const given = await shelf.token('key', 'sgn_own', refused, get);
  return given.ok ? given.value.token : given.error.code;
};

for (const id of ['sgn_own', 'sgn_other', null]) {
  it(`forgets a token with the end of ${id ?? 'any sign-in'}`, async () => {
    assert.equal(await take(), 'token-1');
    end('sgn_of_somebody_else');
    assert.equal(await take(), 'token-1');
    end(id);
    assert.equal(shelf.get('key'), null);
    assert.equal(await take(), 'token-2');
  });
}

it('does not keep what comes after the sign-in has ended', async () => {
  const given = await take(async () => {
    end('sgn_own');
    return give()();
  });
  assert.equal(given, 'token-1');
  assert.equal(shelf.get('key'), null);
});

it('gives another token than the one that was refused, but not for one that is new', async () => {
  await take();
  assert.equal(await take(give(), { token: 'token-1', isInsufficient: false }), 'token-1');
  clock.advance(10_000);
  assert.equal(await take(give(), { token: 'of before', isInsufficient: false }), 'token-1');
  assert.equal(await take(give(), { token: 'token-1', isInsufficient: false }), 'token-2');
});

it('asks a server that gives none not again for every call, and for a user who must sign in at once', async () => {
  const refuse = (code: 'credentials.not_configured' | 'credentials.consent_required') => async () => {
    asked++;
    return err(refusal(code, 'no'));
  };
  await take(refuse('credentials.not_configured'));
  assert.equal(await take(), 'credentials.not_configured');
  assert.equal(asked, 1);
  clock.advance(2_000);
  await take(refuse('credentials.consent_required'));
  assert.equal(await take(), 'token-3');
});

it('keeps a token of which nobody says how long it lasts for some minutes', async () => {
  await take(give({ expiresAtMs: null }));
  clock.advance(4 * 60_000);
  assert.equal(await take(), 'token-1');
  clock.advance(60_000);
  assert.equal(await take(), 'token-2');
});
