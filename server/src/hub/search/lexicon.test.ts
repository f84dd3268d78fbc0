import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createLexicon } from './lexicon.ts';

/** As the official English stemmer of Snowball 2.2 has them. */
const official = [
  ['issues', 'issu'],
  ['issue', 'issu'],
  ['creating', 'creat'],
  ['created', 'creat'],
  ['creation', 'creation'],
  ['repositories', 'repositori'],
  ['repository', 'repositori'],
  ['emails', 'email'],
  ['emailing', 'email'],
  ['scheduled', 'schedul'],
  ['scheduling', 'schedul'],
  ['scheduler', 'schedul'],
  ['events', 'event'],
  ['calendars', 'calendar'],
  ['authenticate', 'authent'],
  ['authentication', 'authent'],
  ['authorized', 'author'],
  ['deletion', 'delet'],
  ['deleting', 'delet'],
  ['deleted', 'delet'],
  ['pulls', 'pull'],
  ['merging', 'merg'],
  ['merged', 'merg'],
  ['merges', 'merg'],
  ['happily', 'happili'],
  ['happiness', 'happi'],
  ['universities', 'univers'],
  ['generously', 'generous'],
  ['generate', 'generat'],
  ['generation', 'generat'],
  ['generic', 'generic'],
  ['skies', 'sky'],
  ['sky', 'sky'],
  ['dying', 'die'],
  ['dies', 'die'],
  ['news', 'news'],
  ['innings', 'inning'],
  ['proceed', 'proceed'],
  ['exceeding', 'exceed'],
  ['succeeded', 'succeed'],
  ['atlas', 'atlas'],
  ['bias', 'bias'],
  ['howe', 'howe'],
  ['andes', 'andes'],
  ['caresses', 'caress'],
  ['ponies', 'poni'],
  ['ties', 'tie'],
  ['cries', 'cri'],
  ['gas', 'gas'],
  ['this', 'this'],
  ['kiwis', 'kiwi'],
  ['agreed', 'agre'],
  ['feed', 'feed'],
  ['hopping', 'hop'],
  ['hoping', 'hope'],
  ['falling', 'fall'],
  ['filing', 'file'],
  ['fizzed', 'fizz'],
  ['conflated', 'conflat'],
  ['troubled', 'troubl'],
  ['sized', 'size'],
  ['rational', 'ration'],
  ['conditional', 'condit'],
  ['valency', 'valenc'],
  ['digitizer', 'digit'],
  ['radically', 'radic'],
  ['differently', 'differ'],
  ['vileness', 'vile'],
  ['analogously', 'analog'],
  ['vietnamization', 'vietnam'],
  ['operator', 'oper'],
  ['feudalism', 'feudal'],
  ['decisiveness', 'decis'],
  ['hopefulness', 'hope'],
  ['callousness', 'callous'],
  ['formality', 'formal'],
  ['sensitivity', 'sensit'],
  ['sensibility', 'sensibl'],
  ['triplicate', 'triplic'],
  ['formative', 'format'],
  ['formalize', 'formal'],
  ['electricity', 'electr'],
  ['electrical', 'electr'],
  ['hopeful', 'hope'],
  ['goodness', 'good'],
  ['revival', 'reviv'],
  ['allowance', 'allow'],
  ['inference', 'infer'],
  ['airliner', 'airlin'],
  ['adjustable', 'adjust'],
  ['defensible', 'defens'],
  ['irritant', 'irrit'],
  ['replacement', 'replac'],
  ['adjustment', 'adjust'],
  ['dependent', 'depend'],
  ['adoption', 'adopt'],
  ['communism', 'communism'],
  ['activate', 'activ'],
  ['angularity', 'angular'],
  ['homologous', 'homolog'],
  ['effective', 'effect'],
  ['bowdlerize', 'bowdler'],
  ['probate', 'probat'],
  ['rate', 'rate'],
  ['cease', 'ceas'],
  ['controlling', 'control'],
  ['rolled', 'roll'],
  ['yellow', 'yellow'],
  ['enjoying', 'enjoy'],
  ['youth', 'youth'],
  ['y', 'y'],
  ['by', 'by'],
  ['say', 'say'],
  ['s', 's'],
  ['as', 'as'],
] as const;

const lexicon = createLexicon(
  (word) => [word.length],
  (word) =>
    word === 'fault'
      ? ['faults', 'bug', 'bugs', 'the', 'error'].map((near) => ({ word: near, like: 0.5 }))
      : [],
);

function wordsOf(text: string) {
  const words: { text: string; stem: string | null }[] = [];
  lexicon.each(text, (word) => words.push(word));
  return words;
}

it('stems words as Snowball does', () => {
  for (const [word, stem] of official) {
    const [only] = wordsOf(word);
    if (only?.stem !== null) assert.equal(only?.stem, stem, word);
  }
  assert.ok(official.filter(([word]) => wordsOf(word)[0]?.stem !== null).length > 90);
});

it('keeps words that say nothing out of the postings', () => {
  assert.deepEqual(
    wordsOf('please show me the weather').map(({ stem }) => stem),
    [null, 'show', null, null, 'weather'],
  );
});

it('lets neighbours of a word stand for it, once for each stem, and never the word itself', () => {
  const [fault] = wordsOf('fault');
  assert.ok(fault !== undefined);
  assert.deepEqual(
    lexicon.others({ rows: [], ...fault }).map(({ stem }) => stem),
    ['bug', 'error'],
  );
});

it('looks for the neighbours of a word once, whatever was asked in between', () => {
  const looked = new Map<string, number>();
  const lexicon = createLexicon(
    () => [],
    (word) => {
      looked.set(word, (looked.get(word) ?? 0) + 1);
      return word.startsWith('known') ? [{ word: 'other', like: 0.5 }] : null;
    },
  );
  const ask = (text: string) => lexicon.each(text, (word) => void lexicon.others(word));
  ask('knownword');
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  for (const a of letters)
    for (const b of letters) for (const c of letters) ask(`known${a}${b}${c} other${a}${b}${c}`);
  ask('knownword knownaaa');
  assert.deepEqual([looked.get('knownword'), looked.get('knownaaa')], [1, 1]);
});
