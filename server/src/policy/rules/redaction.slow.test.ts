import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { unescaped } from './json/unescaping.ts';
import { type Written, withReplacement, withSecret, writtenJson } from './json/written-json.ts';
import { screenOnce } from './screen-once.ts';

const letters = fc.string({
  unit: fc.constantFrom('a', 'b', '"', '\\', '/', '\n', ' ', 'é', '€', '💶', '{', ':'),
  maxLength: 5,
});
const secret = fc
  .string({
    unit: fc.constantFrom('k', '7', '"', '\\', '/', ' ', '\t', 'é', '💶', '<'),
    minLength: 2,
    maxLength: 8,
  })
  .map((text) => `Q${text}Q`)
  .filter((text) => text.length >= 4);
const digits = fc.integer({ min: 10_000_000, max: 99_999_999 }).map(String);
const runs = { numRuns: 150 };

/** Whether a text stands in another, however often that is escaped. */
function standsIn(text: string, sought: string): boolean {
  let read = text;
  for (let depth = 0; depth < 12; depth++) {
    if (read.includes(sought)) return true;
    read = unescaped(read);
  }
  return false;
}

const quote = (text: string) => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
const object = (members: Record<string, Written>): Written => ({
  kind: 'object',
  space: '',
  members: Object.entries(members).map(([name, value]) => [[{ text: name, style: 'plain' }], value]),
});
const secretString: Written = { kind: 'string', pieces: ['secret'] };

describe('redacted means absent', () => {
  test('what a pattern matches is gone from strings, names, numbers and texts in texts; every other character is as it was', () => {
    fc.assert(
      fc.property(writtenJson(letters, true), secret, digits, (written, text, number) => {
        const json = withSecret(written, text, number);
        const rule = { action: 'redact', match: { pattern: `${quote(text)}|${number}` } } as const;
        const screening = screenOnce([rule], json);
        const told = screening.json ?? json;
        assert.equal(told, withReplacement(written, '[redacted]'));
        assert.ok(!standsIn(told, text) && !standsIn(told, number));
        assert.equal(screening.blocked, null);
        assert.equal(screenOnce([rule], told).json, null, 'a second look changes something');
      }),
      runs,
    );
  });

  test('what stands at a path is gone from everywhere else, too', () => {
    fc.assert(
      fc.property(
        writtenJson(letters, true),
        secret,
        digits,
        fc.boolean(),
        (written, text, number, inText) => {
          const customer = object({ ssn: secretString, account: { kind: 'secret number' } });
          const held: Written = inText ? { kind: 'embedded', value: customer, style: 'plain' } : customer;
          const whole = object({ before: written, customer: held, after: written });
          const paths = inText ? ['$.ssn', '$.account'] : ['$.customer.ssn', "$.customer['account']"];
          const rules = paths.map((path) => ({ action: 'redact', match: { path } }) as const);
          const { json } = screenOnce(rules, withSecret(whole, text, number));
          assert.equal(json, withReplacement(whole, '[redacted]'));
          assert.equal(screenOnce(rules, json as string).json, null, 'a second look changes something');
        },
      ),
      runs,
    );
  });

  test('what stood in a value that was taken out as a whole is gone from everywhere else', () => {
    fc.assert(
      fc.property(writtenJson(letters, true), secret, digits, (written, text, number) => {
        const gone: Written = {
          kind: 'array',
          space: ' ',
          items: [secretString, object({ n: { kind: 'secret number' } })],
        };
        const whole = object({ rest: written, gone });
        const { json } = screenOnce(
          [{ action: 'redact', replacement: '-', match: { path: '$.gone' } }],
          withSecret(whole, text, number),
        );
        const without = object({ rest: written, gone: { kind: 'word', text: '"-"' } });
        assert.equal(json, withReplacement(without, '-'));
      }),
      runs,
    );
  });

  test('base64 of texts in blob and data is read, and what is binary is left as it is', () => {
    fc.assert(
      fc.property(writtenJson(letters, true), secret, digits, fc.boolean(), (written, text, number, url) => {
        const form = url ? 'base64url' : 'base64';
        const whole = object({ held: written });
        const blob = Buffer.from(withSecret(whole, text, number)).toString(form);
        const data = Buffer.from([0xff, 0xd8, 0xff, 0xe0, ...Buffer.from(number)]).toString('base64');
        const json = JSON.stringify({ contents: [{ blob }, { data }, { text: number }] });
        const pattern = `${quote(text)}|${number}`;
        const told = JSON.parse(screenOnce([{ action: 'redact', match: { pattern } }], json).json as string);
        const read = Buffer.from(told.contents[0].blob, 'base64').toString();
        assert.equal(read, withReplacement(whole, '[redacted]'));
        assert.deepEqual(told.contents.slice(1), [{ data }, { text: '[redacted]' }]);
      }),
      runs,
    );
  });

  test('a text that holds more of it than a function takes arguments is told without it', () => {
    const found = [
      ['ssn', '123-45-6789'],
      ['phone', '+1 415 555 2671'],
      ['api_key', 'AKIAIOSFODNN7EXAMPLE'],
    ] as const;
    for (const [detector, text] of found) {
      const rule = { action: 'redact', match: { detector } } as const;
      const told = screenOnce([rule], JSON.stringify([`${text} `.repeat(150_000)]));
      assert.equal(told.blocked, null, detector);
      assert.equal(told.json, JSON.stringify(['[redacted] '.repeat(150_000)]));
    }
  });

  test('a long run of what tokens are written with is looked through', () => {
    const token = `${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`;
    const long = `${'A'.repeat(9_000_000)} ${token}`;
    const told = screenOnce([{ action: 'redact', match: { detector: 'jwt' } }], JSON.stringify([long]));
    assert.equal(told.json, JSON.stringify([`${'A'.repeat(9_000_000)} [redacted]`]));
  });

  test('what taking out brings together is taken out, too', () => {
    const rule = { action: 'redact', replacement: '', match: { pattern: 'abcd' } } as const;
    assert.equal(screenOnce([rule], '["ababcdcd","x"]').json, '["","x"]');
  });

  test('a replacement that a rule would itself find is written once', () => {
    const rule = { action: 'redact', replacement: 'user@example.com', match: { detector: 'email' } } as const;
    const told = screenOnce([rule], '["to ann@acme.com, bob@acme.com"]').json as string;
    assert.equal(told, '["to user@example.com, user@example.com"]');
    assert.equal(screenOnce([rule], told).json, null);
  });

  test('a number of four or five digits is gone from where it stands by itself', () => {
    const json = JSON.stringify({
      content: [{ type: 'text', text: 'Bob earns 85000, or 85000.00 a year; id 985000, room A85000' }],
      structuredContent: { salary: 85000, before: [85000, 1850001], level: 4200 },
    });
    const rules = ['$.salary', '$.level'].map((path) => ({ action: 'redact', match: { path } }) as const);
    const told = screenOnce(rules, json, { roots: ['structuredContent', '_meta'] }).json as string;
    assert.deepEqual(JSON.parse(told), {
      content: [
        { type: 'text', text: 'Bob earns [redacted], or [redacted].00 a year; id 985000, room A85000' },
      ],
      structuredContent: { salary: '[redacted]', before: ['[redacted]', 1850001], level: '[redacted]' },
    });
  });

  test('short words and the words of the protocol stay where they are said elsewhere', () => {
    const json =
      '{"content":[{"type":"text","text":"yes, 123, completed text"}],"structuredContent":{"a":"yes","n":123,"kind":"text"}}';
    const rules = ['$.a', '$.n', '$.kind'].map((path) => ({ action: 'redact', match: { path } }) as const);
    const told = JSON.parse(
      screenOnce(rules, json, { roots: ['structuredContent', '_meta'] }).json as string,
    );
    assert.deepEqual(told.content, [{ type: 'text', text: 'yes, 123, completed text' }]);
    assert.deepEqual(new Set(Object.values(told.structuredContent)), new Set(['[redacted]']));
  });

  test('a pattern cannot take away the names that make an answer one', () => {
    const json =
      '{"content":[{"type":"text","text":"some text"}],"isError":true,"structuredContent":{"text":"x"}}';
    const rule = { action: 'redact', match: { pattern: 'content|text|isError' } } as const;
    const told = screenOnce([rule], json, { roots: ['structuredContent', '_meta'] }).json;
    assert.equal(
      told,
      '{"content":[{"type":"text","text":"some [redacted]"}],"isError":true,"structuredContent":{"[redacted]":"x"}}',
    );
  });
});
