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
  return lexicon.read(text, []);
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
    lexicon.others(fault).map(({ stem }) => stem),
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
  const ask = (text: string) => lexicon.read(text, []).map((word) => lexicon.others(word));
  ask('knownword');
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  for (const a of letters)
    for (const b of letters) for (const c of letters) ask(`known${a}${b}${c} other${a}${b}${c}`);
  ask('knownword knownaaa');
  assert.deepEqual([looked.get('knownword'), looked.get('knownaaa')], [1, 1]);
});

it('knows words again in whatever case, and numbers those with the same stem alike', () => {
  const [one, other, third, wide, again] = wordsOf('Issues ISSUES issue Zürich zürich');
  assert.ok(one !== undefined && one === other && wide === again);
  assert.deepEqual([one.text, wide?.text], ['issues', 'zurich']);
  assert.equal(one.stemNumber, third?.stemNumber);
  assert.notEqual(one.stemNumber, wide?.stemNumber);
  assert.equal(wordsOf('the')[0]?.stemNumber, -1);
});

it('reads words that are too many to be known as it reads others', () => {
  const lexicon = createLexicon(
    (word) => [word.length],
    () => [],
  );
  const letters = [...'abcdefghijklmnopqrstuvwxyz'];
  const many = letters.flatMap((a) => letters.flatMap((b) => letters.map((c) => `${a}${b}${c}`)));
  for (const first of 'qwertyuiop') for (const word of many) lexicon.read(`${first}${word}`, []);
  const [one, other, known] = lexicon.read('Zanzibars zanzibar qaaa', []);
  assert.deepEqual([one?.text, one?.stem, one?.rows], ['zanzibars', 'zanzibar', [9]]);
  assert.deepEqual([one?.stemNumber, other?.stemNumber], [-1, -1]);
  assert.ok((known?.stemNumber ?? -1) >= 0);
});
