import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeptTexts } from './kept-texts.ts';

const things = Array.from({ length: 100 }, (_, n) => ({ n }));

/** Asks for each in turn; how many were made anew. */
function asking(mostChars: number) {
  const kept = createKeptTexts(mostChars);
  return (some: readonly { readonly n: number }[]): number => {
    let made = 0;
    for (const one of some) {
      const text = kept.get(one, () => {
        made++;
        return String(one.n).padStart(10, '0');
      });
      assert.equal(Number(text), one.n);
    }
    return made;
  };
}

test('what fits is made once', () => {
  const ask = asking(2000);
  assert.equal(ask(things), 100);
  for (let again = 0; again < 3; again++) assert.equal(ask(things), 0);
});

test('of what does not fit, no more is kept than that', () => {
  const ask = asking(500);
  ask(things);
  let kept = 0;
  for (const one of things.toReversed()) {
    if (ask([one]) > 0) break;
    kept++;
  }
  assert.ok(kept > 0 && kept <= 50, `${kept} were kept`);
});

test('what is asked for again and again stays, whatever else comes', () => {
  const ask = asking(500);
  const [often, ...others] = things as [{ n: number }, ...{ n: number }[]];
  assert.equal(ask([often]), 1);
  for (const one of others) assert.equal(ask([one, often]), 1);
});
