import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { anyCharacter } from '../../../../test/any-character.ts';
import { createSseReader } from './sse.ts';

function read(pieces: readonly Buffer[], max = 1_000_000): string[] {
  const events: string[] = [];
  const reader = createSseReader((data) => events.push(data), max);
  for (const piece of pieces) reader.push(piece);
  return events;
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, index) => bytes.subarray(start, at[index] ?? bytes.length));
}

describe('an event stream', () => {
  it('gives the data of each event, whatever else it holds', () => {
    const text =
      '\ufeff: hi\nevent: message\nid: 7\ndata: {"a":\ndata:1}\nretry: 5\n\ndata\n\n:ping\n\ndata:  x\n\ndata: cut';
    assert.deepEqual(read([Buffer.from(text)]), ['{"a":\n1}', ' x']);
  });

  it('is read the same however lines end and wherever it is cut', () => {
    const line = fc.string({ unit: anyCharacter }).map((text) => text.replace(/[\r\n]/g, ' '));
    const event = fc.array(line, { minLength: 1, maxLength: 4 });
    const ending = fc.constantFrom('\n', '\r', '\r\n');
    fc.assert(
      fc.property(fc.array(event, { maxLength: 6 }), ending, fc.array(fc.nat()), (events, end, cuts) => {
        const lines = events.flatMap((data) => [':', ...data.map((one) => `data: ${one}`), 'id: 1', '']);
        const bytes = Buffer.from(lines.map((one) => one + end).join(''));
        const expected = events.map((data) => data.join('\n')).filter((data) => data !== '');
        assert.deepEqual(read(split(bytes, cuts)), expected);
      }),
    );
  });

  it('never throws, whatever bytes come', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat()), (bytes, cuts) => {
        const whole = Buffer.from(bytes);
        assert.deepEqual(read(split(whole, cuts)), read([whole]));
      }),
    );
  });

  it('is given up once one event outgrows the cap, and not because many small ones came', () => {
    const events: string[] = [];
    const reader = createSseReader((data) => events.push(data), 100);
    for (let count = 0; count < 50; count++)
      assert.equal(reader.push(Buffer.from('data: 0123456789\n\n')), true);
    assert.equal(events.length, 50);
    assert.equal(reader.push(Buffer.from(`data: ${'x'.repeat(90)}\n`)), true);
    assert.equal(reader.push(Buffer.from('data: more')), false);
    assert.equal(reader.push(Buffer.from('\n\ndata: late\n\n')), false);
    assert.equal(events.length, 50);
  });
});
