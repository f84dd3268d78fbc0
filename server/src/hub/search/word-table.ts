/** Finds words where they stand in a text, without copying them from there. */
export interface WordTable<Word> {
  readonly size: number;
  /** Of the same letters; of plain ones the case makes no difference. */
  find(text: string, start: number, end: number): Word | undefined;
  /** One that it does not have; its text is in lower case. */
  add(word: Word): void;
}

/** The bit that letters in lower case have, and digits. */
const LOWER = 0x20;

export function createWordTable<Word extends { readonly text: string }>(): WordTable<Word> {
  const words: Word[] = [];
  /** One more than the place of a word: 0 is none. A word is where its hash says, or behind others that are. */
  let places = new Int32Array(4096);
  let hashes = new Int32Array(4096);

  const put = (hash: number, place: number) => {
    let cell = hash & (places.length - 1);
    while (places[cell] !== 0) cell = (cell + 1) & (places.length - 1);
    places[cell] = place;
    hashes[cell] = hash;
  };
  const widen = () => {
    const [before, hashesBefore] = [places, hashes];
    places = new Int32Array(before.length * 2);
    hashes = new Int32Array(before.length * 2);
    for (const [cell, place] of before.entries()) if (place !== 0) put(hashesBefore[cell] as number, place);
  };
  return {
    get size() {
      return words.length;
    },
    find(text, start, end) {
      const hash = hashOf(text, start, end);
      for (let cell = hash & (places.length - 1); ; cell = (cell + 1) & (places.length - 1)) {
        const place = places[cell] as number;
        if (place === 0) return undefined;
        if (hashes[cell] !== hash) continue;
        const word = words[place - 1] as Word;
        if (isSame(word.text, text, start, end)) return word;
      }
    },
    add(word) {
      if (words.length * 2 >= places.length) widen();
      put(hashOf(word.text, 0, word.text.length), words.push(word));
    },
  };
}

function hashOf(text: string, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (text.charCodeAt(at) | LOWER), 0x01000193);
  return hash ^ (hash >>> 15);
}

function isSame(word: string, text: string, start: number, end: number): boolean {
  if (word.length !== end - start) return false;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (word.charCodeAt(at - start) !== (code >= 0x41 && code <= 0x5a ? code | LOWER : code)) return false;
  }
  return true;
}
