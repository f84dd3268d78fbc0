/** Where ids are in something that has them: numbers only, as there are many. */
export interface IdTable {
  readonly size: number;
  find(id: string): number | undefined;
  /** An id that it does not have yet. */
  add(id: string, place: number): void;
  /** The place that it had. */
  remove(id: string): number | undefined;
}

const least = 16;

/** `idOf`: the id that is at a place; of each that was added and not removed it must go on to tell. */
export function createIdTable(idOf: (place: number) => string | undefined, expected = 0): IdTable {
  let length = least;
  while (length * 3 < expected * 4) length *= 2;
  /** One more than the place: 0 is none. An id is where its hash says, or behind others that are. */
  let places = new Uint32Array(length);
  let hashes = new Int32Array(length);
  let size = 0;

  const cellOf = (id: string): number => {
    const hash = hashOf(id);
    for (let cell = hash & (length - 1); ; cell = (cell + 1) & (length - 1)) {
      const place = places[cell] as number;
      if (place === 0 || (hashes[cell] === hash && idOf(place - 1) === id)) return cell;
    }
  };
  const widen = () => {
    const [before, hashesBefore] = [places, hashes];
    length *= 2;
    [places, hashes] = [new Uint32Array(length), new Int32Array(length)];
    for (const [from, place] of before.entries()) {
      if (place === 0) continue;
      const hash = hashesBefore[from] as number;
      let cell = hash & (length - 1);
      while (places[cell] !== 0) cell = (cell + 1) & (length - 1);
      [places[cell], hashes[cell]] = [place, hash];
    }
  };
  /** Those behind it that are there only as it was in their way come nearer. */
  const empty = (gap: number) => {
    let to = gap;
    for (let from = (to + 1) & (length - 1); places[from] !== 0; from = (from + 1) & (length - 1)) {
      const own = (hashes[from] as number) & (length - 1);
      if (((from - own) & (length - 1)) < ((from - to) & (length - 1))) continue;
      [places[to], hashes[to]] = [places[from] as number, hashes[from] as number];
      to = from;
    }
    places[to] = 0;
  };

  return {
    get size() {
      return size;
    },
    find(id) {
      const place = places[cellOf(id)] as number;
      return place === 0 ? undefined : place - 1;
    },
    add(id, place) {
      if ((size + 1) * 4 > length * 3) widen();
      const cell = cellOf(id);
      places[cell] = place + 1;
      hashes[cell] = hashOf(id);
      size++;
    },
    remove(id) {
      const cell = cellOf(id);
      const place = places[cell] as number;
      if (place === 0) return undefined;
      empty(cell);
      size--;
      return place - 1;
    },
  };
}

function hashOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}
