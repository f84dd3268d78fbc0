import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { anyCharacter } from '../../../test/any-character.ts';
import { eachWord } from './words.ts';

function wordsOf(text: string): string[] {
  const words: string[] = [];
  eachWord(text, (word) => words.push(word));
  return words;
}

for (const [text, words] of [
  ['create_issue', ['create', 'issue']],
  ['createIssue', ['create', 'issue']],
  ['Mail.SendEmail@1.2.0', ['mail', 'send', 'email', '1', '2', '0']],
  ['getHTTPStatus2', ['get', 'http', 'status', '2']],
  ['list-pull-requests v3', ['list', 'pull', 'requests', 'v', '3']],
  ['A', ['a']],
  ['IDs', ['i', 'ds']],
  ['Übersicht café_au', ['ubersicht', 'cafe', 'au']],
  ['naïveÉtude', ['naive', 'etude']],
  ['天気予報', ['天気', '気予', '予報']],
  ['天', ['天']],
  ['поискПисем', ['поиск', 'писем']],
  ['', []],
  [' \t\n--__..', []],
  ['\u0000\ufffd\u001b[31mred', ['31', 'mred']],
] as const) {
  it(`takes ${JSON.stringify(text)} apart`, () => assert.deepEqual(wordsOf(text), words));
}

it('passes over data, and over what comes after the longest text', () => {
  assert.deepEqual(wordsOf(`${'a'.repeat(41)} word`), ['word']);
  assert.deepEqual(wordsOf(`${' '.repeat(16_384)}late`), []);
});

it('takes anything, and gives words without spaces, of a bounded length', () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter, maxLength: 300 }), (text) => {
      for (const word of wordsOf(text)) {
        assert.ok(word.length > 0 && word.length <= 40 * 4, word);
        assert.doesNotMatch(word, /\s|[A-Z]/);
      }
    }),
  );
});
