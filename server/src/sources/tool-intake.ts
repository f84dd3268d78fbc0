import { createPacker, type PackedListing, type ToolListing } from '#domain';
import { createRests, err, ok, type Result } from '#foundation';
import { ArrayReader } from './array-reader.ts';
import type { RejectedTool } from './contract.ts';
import { keepableText, unreadableEntry } from './keepable.ts';
import { createFinder, markOf, type ReadList } from './read-list.ts';

/** How a kind of source writes a tool. */
export interface ToolForm {
  read(entry: unknown, index: number): Result<ToolListing, RejectedTool>;
  /** For who is to correct it. */
  nameOf(entry: unknown, index: number): string;
}

export interface TakenTools {
  readonly tools: readonly PackedListing[];
  readonly rejected: readonly RejectedTool[];
  readonly list: ReadList;
  /** Whether every entry is what was known, in the same order. */
  readonly isSame: boolean;
}

/** Why a list is none: it is not an array, or longer than any that is taken. */
export type ListFlaw = 'no array' | 'too long';

/** More in one source would take too long whenever the list changes, and leave too little room for others. */
export const maxTools = 50_000;

/**
 * Takes the tools of a list while it comes: whatever its size, only a little of it is there at once, and others pass in between. What
 * is listed again as it was before is not looked into.
 */
export interface ToolIntake {
  /** The next array of entries, or the same once more: what came of it before does not count. */
  begin(isAgain: boolean): void;
  /** `giveBack` is called when the bytes may be overwritten. */
  write(bytes: Buffer, giveBack?: () => void): void;
  /** Done when all that came is read: whether it is an array, whole. */
  end(): Promise<ListFlaw | null>;
  taken(): TakenTools;
}

interface Page {
  readonly reader: ArrayReader;
  readonly packer: ReturnType<typeof createPacker>;
  readonly marks: string[];
  /** What is known, or the place among what the packer has; `null`: nothing that can be used. */
  readonly entries: (PackedListing | number | null)[];
  readonly keys: string[];
  readonly rejected: RejectedTool[];
  flaw: ListFlaw | null;
  /** Entries of it that are what was known in their place. */
  same: number;
}

export function createToolIntake(form: ToolForm, known: ReadList | null): ToolIntake {
  const find = createFinder(known);
  const pages: Page[] = [];
  const seen = new Set<string>();
  let work: Promise<void> = Promise.resolve();
  let before = 0;

  const current = () => pages.at(-1) as Page;

  function drop({ keys }: Page): void {
    for (const key of keys) seen.delete(key);
    pages.pop();
  }

  async function read(page: Page, bytes: Buffer): Promise<void> {
    const rests = createRests();
    for (const entry of page.reader.read(bytes)) {
      const rest = rests();
      if (rest !== null) await rest;
      if (page !== current()) return;
      if (before + page.entries.length >= maxTools) page.flaw = 'too long';
      if (page.flaw === null) take(page, entry);
      if (page.flaw !== null) return;
    }
  }

  function take(page: Page, bytes: Buffer): void {
    const mark = markOf(bytes);
    const index = before + page.entries.length;
    page.marks.push(mark);
    const listing = find(mark, index);
    if (listing === undefined) page.entries.push(readEntry(page, bytes, index));
    else {
      const isNew = add(page, listing);
      if (!isNew) page.rejected.push({ name: listing.name, reason: listedTwice });
      page.entries.push(isNew ? listing : null);
    }
    if (known?.listings[index] === page.entries.at(-1) && find.isInPlace(mark, index)) page.same += 1;
  }

  function readEntry(page: Page, bytes: Buffer, index: number): number | null {
    let entry: unknown;
    try {
      entry = JSON.parse(bytes.toString('utf8'));
    } catch {
      page.flaw = 'no array';
      return null;
    }
    const read = listingOf(entry, index, form);
    if (!read.ok) {
      page.rejected.push(read.error);
      return null;
    }
    const { listing, text } = read.value;
    if (!add(page, listing)) {
      page.rejected.push({ name: form.nameOf(entry, index), reason: listedTwice });
      return null;
    }
    page.packer.add(listing, text);
    return page.packer.count - 1;
  }

  function add(page: Page, { toolkit, name }: Pick<ToolListing, 'toolkit' | 'name'>): boolean {
    const key = `${toolkit.name}\0${name}\0${toolkit.version ?? ''}`;
    if (seen.has(key)) return false;
    seen.add(key);
    page.keys.push(key);
    return true;
  }

  return {
    begin(isAgain) {
      if (isAgain) drop(current());
      before = pages.reduce((count, { entries }) => count + entries.length, 0);
      pages.push({
        ...{ reader: new ArrayReader(), packer: createPacker(), marks: [], entries: [], keys: [] },
        ...{ rejected: [], flaw: null, same: 0 },
      });
    },
    write(bytes, giveBack = () => undefined) {
      const page = current();
      work = work.then(() => (page === current() ? read(page, bytes) : undefined)).finally(giveBack);
      // What fails, fails at the end; where that is never asked for, nobody needs to know.
      work.catch(() => undefined);
    },
    async end() {
      await work;
      const { flaw, reader } = current();
      return flaw ?? (reader.isComplete ? null : 'no array');
    },
    taken: () => takenOf(pages, known),
  };
}

/** An entry as a tool that can be kept, and as JSON. */
function listingOf(
  entry: unknown,
  index: number,
  form: ToolForm,
): Result<{ readonly listing: ToolListing; readonly text: string }, RejectedTool> {
  const unreadable = unreadableEntry(entry);
  if (unreadable !== null) return err({ name: form.nameOf(entry, index), reason: unreadable });
  const listing = form.read(entry, index);
  if (!listing.ok) return listing;
  const text = keepableText(listing.value);
  if (text.ok) return ok({ listing: listing.value, text: text.value });
  return err({ name: listing.value.name.slice(0, 128).toWellFormed(), reason: text.error });
}

function takenOf(pages: readonly Page[], known: ReadList | null): TakenTools {
  const listings = pages.flatMap(({ packer, entries }) => {
    const fresh = packer.finish();
    return entries.map((entry) => (typeof entry === 'number' ? (fresh[entry] as PackedListing) : entry));
  });
  const same = pages.reduce((count, page) => count + page.same, 0);
  return {
    tools: listings.filter((listing) => listing !== null),
    rejected: pages.flatMap(({ rejected }) => rejected),
    list: { marks: Buffer.from(pages.flatMap(({ marks }) => marks).join(''), 'latin1'), listings },
    isSame: known !== null && same === listings.length && same === known.listings.length,
  };
}

const listedTwice = 'it is listed twice; the first one is used';
