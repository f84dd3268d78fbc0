import { isDeepStrictEqual } from 'node:util';
import { CommandError } from '../command-error.ts';
import { isMapping, type Mapping } from '../files/values.ts';

/** What is to become of one entry of those that stand `under` a key. */
export interface EntryChange {
  readonly under: string;
  readonly name: string;
  /** Fields that it is to have; `null`: it goes. */
  readonly wanted: Mapping | null;
  /** Fields that it is not to have unless they are wanted; all others stay. */
  readonly own: readonly string[];
}

/** How files of one syntax are read and changed. */
export interface Syntax {
  /** Throws a `CommandError` that names `file`, where it cannot be read. */
  read(text: string, file: string): Mapping;
  /** The text with this change, as far as that can be told from the text. `whole`: the entry with all its fields. */
  splice(text: string, change: EntryChange, whole: Mapping | undefined): string;
}

/**
 * One entry is added, updated or removed as text, so that all else stays to the byte. What came out is read again: where
 * anything else would mean something else, nothing is written.
 */
export function editEntry(syntax: Syntax, text: string, file: string, change: EntryChange): string {
  const { under, name, wanted, own } = change;
  const before = syntax.read(text, file);
  const entries = before[under] ?? {};
  const unclear = new CommandError(
    'connect.file_unclear',
    `${file}: "${under}.${name}" is written in a way that cannot be changed without touching the rest`,
    ['Change it by hand, or write it on lines of its own; nothing was written.'],
  );
  if (!isMapping(entries)) throw unclear;
  const { [name]: found, ...others } = entries;
  const kept = Object.entries(isMapping(found) ? found : {}).filter(([field]) => !own.includes(field));
  const whole = wanted === null ? undefined : { ...Object.fromEntries(kept), ...wanted };
  if (isDeepStrictEqual(found, whole)) return text;
  const after = syntax.splice(text, change, whole);
  const expected = { ...before, [under]: whole === undefined ? others : { ...others, [name]: whole } };
  if (isDeepStrictEqual(meaningOf(syntax, after, under), expected)) return after;
  throw unclear;
}

/** `null`: it cannot be read. That nothing stands under the key is the same as that there is no such key. */
function meaningOf({ read }: Syntax, text: string, under: string): Mapping | null {
  try {
    const whole = read(text, '');
    return { ...whole, [under]: whole[under] ?? {} };
  } catch {
    return null;
  }
}
