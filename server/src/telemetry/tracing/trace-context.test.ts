import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { anyCharacter } from '../../../test/any-character.ts';
import { formatTraceparent, parentOf, tracestateOf } from './trace-context.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = '00f067aa0ba902b7';
const good = `00-${traceId}-${spanId}-01`;

describe('traceparent', () => {
  it('is read, with the flags that are known', () => {
    assert.deepEqual(parentOf(good), { traceId, spanId, flags: 1 });
    assert.deepEqual(parentOf(`00-${traceId}-${spanId}-00`), { traceId, spanId, flags: 0 });
    assert.equal(parentOf(`00-${traceId}-${spanId}-ff`)?.flags, 3);
  });

  it('of a later version is read as far as this one goes', () => {
    for (const later of [
      `cc-${traceId}-${spanId}-01`,
      `01-${traceId}-${spanId}-01-what-the-future-will-be-like`,
    ]) {
      assert.deepEqual(parentOf(later), { traceId, spanId, flags: 1 }, later);
    }
  });

  const bad = {
    'version ff': `ff-${traceId}-${spanId}-01`,
    'a version that is no number': `0x-${traceId}-${spanId}-01`,
    'more than version 00 has': `${good}-more`,
    'something after a later version without its hyphen': `01-${traceId}-${spanId}-01.more`,
    'a trace id of zeros': `00-${'0'.repeat(32)}-${spanId}-01`,
    'a parent id of zeros': `00-${traceId}-${'0'.repeat(16)}-01`,
    'capital letters': `00-${traceId.toUpperCase()}-${spanId}-01`,
    'a short trace id': `00-${traceId.slice(1)}-${spanId}-01`,
    'flags that are no number': `00-${traceId}-${spanId}-0x`,
    'two of them': `${good}, ${good}`,
    'a line break': `01-${traceId}-${spanId}-01-a\r\nx: y`,
    'spaces around it': ` ${good} `,
    'no text': 7,
    nothing: undefined,
  };
  for (const [what, value] of Object.entries(bad)) {
    it(`with ${what} is none`, () => assert.equal(parentOf(value), null));
  }

  it('that was written is read as it was', () => {
    const hex = (length: number) =>
      fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)).filter((text) => !/^0+$/.test(text));
    fc.assert(
      fc.property(hex(32), hex(16), fc.integer({ min: 0, max: 3 }), (trace, span, flags) => {
        const parent = { traceId: trace, spanId: span, flags };
        assert.deepEqual(parentOf(formatTraceparent(parent)), parent);
      }),
    );
  });
});

describe('tracestate', () => {
  it('is passed on as it was said, without spaces around its members and without empty ones', () => {
    assert.equal(tracestateOf('a=1'), 'a=1');
    assert.equal(tracestateOf('a=1 ,\tb@c=x y,, 1d=~'), 'a=1,b@c=x y,1d=~');
  });

  const bad = {
    'a member without value': 'a',
    'an empty value': 'a=',
    'a key in capitals': 'A=1',
    'a value with an equals sign': 'a=b=c',
    'a line break': 'a=1\r\nx: y',
    'a character beyond ASCII': 'a=ü',
    'more than 32 members': Array.from({ length: 33 }, (_, at) => `k${at}=1`).join(','),
    'no member': ' , ',
    'no text': 1,
  };
  for (const [what, value] of Object.entries(bad)) {
    it(`with ${what} is none`, () => assert.equal(tracestateOf(value), null));
  }

  it('is cut to 512 characters: the long members go first, then the oldest', () => {
    const long = `long=${'x'.repeat(200)}`;
    const members = Array.from({ length: 30 }, (_, at) => `k${at}=${'v'.repeat(20)}`);
    const kept = tracestateOf([members[0], long, ...members.slice(1)].join(',')) ?? '';
    assert.ok(kept.length <= 512 && kept.length > 480, String(kept.length));
    assert.equal(kept, members.slice(0, kept.split(',').length).join(','));
    assert.equal(tracestateOf(`${long},short=1`), `${long},short=1`);
  });

  it('never has what a header line could not carry', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 600 }), (text) => {
        const state = tracestateOf(text);
        if (state !== null) assert.match(state, /^[\x20-\x7e]{1,512}$/);
      }),
    );
  });
});
