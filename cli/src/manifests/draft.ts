import type { FileChange } from '../files/file-change.ts';
import { readText } from '../files/read-text.ts';

/** Files as they are to be, until all is known to be right: nothing is written here. */
export interface Draft {
  /** As it is to be by now; `null` where there is none. */
  read(path: string): Promise<string | null>;
  write(path: string, text: string): void;
  changes(): readonly FileChange[];
}

export function createDraft(): Draft {
  const files = new Map<string, { readonly before: string | null; after: string | null }>();
  return {
    read: async (path) => {
      const known = files.get(path);
      if (known !== undefined) return known.after;
      const before = await readText(path);
      files.set(path, { before, after: before });
      return before;
    },
    write: (path, text) => {
      const known = files.get(path);
      if (known === undefined) throw new Error(`${path} is written before it is read`);
      known.after = text;
    },
    changes: () => [...files].map(([path, file]) => ({ path, ...file })),
  };
}
