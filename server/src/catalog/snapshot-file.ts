import { readSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { Block, type BlockPlace, blockId } from '#domain';
import { createRests, Fault } from '#foundation';
import { keyOf } from './kept-offers.ts';
import type { KeptTool } from './kept-tool.ts';
import { type ToolColumns, toolsOf, unpackJson } from './packed-tools.ts';
import type { Place } from './pin-store.ts';
import {
  magic,
  type PartFound,
  readParts,
  readSpan,
  type Span,
  spansOf,
  writePart,
} from './snapshot-form.ts';
import type { StoredEntries, StoredOffer } from './stored-offer.ts';

/** What a snapshot knows of a source: the rest is small, and the database is asked for it. */
export interface SnapshotOffer extends Place, StoredEntries {
  readonly revision: string;
  /** Their names. */
  readonly toolkits: readonly string[];
  /** `null`: they cannot be read any more. */
  tools(): Promise<readonly KeptTool[] | null>;
}

/**
 * A snapshot that is open. Definitions lie in it, and are read when they are asked for: also from a file that another one was put in the
 * place of, for as long as it is open.
 */
export interface SnapshotFile {
  readonly offers: readonly SnapshotOffer[];
  /** Another one for another file. */
  readonly mark: string;
  /** From now on their definitions lie here, as far as they do; what held them is free of them. */
  takeOver(offers: readonly Pick<StoredOffer, 'projectId' | 'sourceId' | 'tools'>[]): void;
  /** What still lies here is in memory from now on. */
  giveBack(): Promise<void>;
  close(): Promise<void>;
}

/** `onLost` is called when what should lie there does not. */
export type OnLost = () => void;

class InFile implements BlockPlace {
  readonly file: OpenFile;
  readonly at: number;
  readonly length: number;

  constructor(file: OpenFile, { at, length }: Span) {
    this.file = file;
    this.at = at;
    this.length = length;
  }

  read(id: string): Uint8Array {
    return this.file.read(this, id);
  }
}

class OpenFile implements SnapshotFile {
  readonly mark: string;
  readonly offers: readonly SnapshotOffer[];
  readonly #handle: FileHandle;
  readonly #parts: ReadonlyMap<string, PartFound>;
  readonly #onLost: OnLost;
  /** Those that were ever said to lie here. */
  readonly #blocks = new Set<Block>();
  #isOpen = true;

  constructor(handle: FileHandle, mark: string, parts: readonly PartFound[], onLost: OnLost) {
    this.#handle = handle;
    this.mark = mark;
    this.#parts = new Map(parts.map((part) => [keyOf(part), part]));
    this.#onLost = onLost;
    this.offers = parts.map((part) => {
      const { projectId, sourceId, revision, toolkits, prompts, resources, templates } = part;
      const tools = () => this.#toolsOf(part).catch(() => null);
      return { projectId, sourceId, revision, toolkits, tools, prompts, resources, templates };
    });
  }

  async #toolsOf(part: PartFound): Promise<readonly KeptTool[]> {
    const { projectId, sourceId, columns } = part;
    const read = (await unpackJson(await readSpan(this.#handle, columns))) as ToolColumns;
    const blocks = new Map(
      [...spansOf(part)].map(([id, span]) => [id, this.#put(new Block(new InFile(this, span), id))]),
    );
    return toolsOf({ projectId, sourceId }, read, blocks);
  }

  #put(block: Block): Block {
    this.#blocks.add(block);
    return block;
  }

  read({ at, length }: Span, id: string): Uint8Array {
    if (!this.#isOpen) throw new Fault('definitions of tools were asked for after the catalog was closed');
    const bytes = new Uint8Array(length);
    let cause: unknown;
    try {
      if (readSync(this.#handle.fd, bytes, 0, length, at) === length && blockId(bytes) === id) return bytes;
    } catch (error) {
      cause = error;
    }
    this.#onLost();
    throw new Fault('definitions of tools cannot be read from catalog.snapshot', { cause });
  }

  takeOver(offers: Parameters<SnapshotFile['takeOver']>[0]): void {
    for (const offer of offers) {
      const part = this.#parts.get(keyOf(offer));
      if (part === undefined) continue;
      const spans = spansOf(part);
      let last: Block | null = null;
      for (const { block } of offer.tools.map(({ listing }) => listing)) {
        if (block === last) continue;
        last = block;
        const span = spans.get(block.id);
        if (span !== undefined) this.#put(block).lies = new InFile(this, span);
      }
    }
  }

  async giveBack(): Promise<void> {
    const rests = createRests();
    for (const block of this.#blocks) {
      await rests();
      if (!(block.lies instanceof InFile) || block.lies.file !== this) continue;
      try {
        block.lies = block.bytes;
      } catch {
        // Whoever asks for it is told.
      }
    }
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    await this.#handle.close();
  }
}

/** `null`: there is none, it is damaged, or of another version. */
export async function openSnapshot(path: string, onLost: OnLost): Promise<SnapshotFile | null> {
  const handle = await open(path, 'r').catch(() => null);
  if (handle === null) return null;
  const parts = await readParts(handle).catch(() => null);
  if (parts !== null) return new OpenFile(handle, markOf(await handle.stat()), parts, onLost);
  await handle.close();
  return null;
}

/** Puts another one in its place, and opens it. */
export async function writeSnapshot(
  path: string,
  offers: readonly StoredOffer[],
  onLost: OnLost,
): Promise<SnapshotFile> {
  const unfinished = `${path}.new`;
  await rm(unfinished, { force: true });
  const handle = await open(unfinished, 'wx+', 0o600);
  try {
    const parts: PartFound[] = [];
    await handle.write(magic, 0, magic.length, 0);
    let at = magic.length;
    for (const offer of offers) {
      const part = await writePart(handle, at, offer);
      if (part === null) continue;
      parts.push(part.found);
      at = part.end;
    }
    const mark = markOf(await handle.stat());
    await rename(unfinished, path);
    return new OpenFile(handle, mark, parts, onLost);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

export const markOf = ({ ino, size, mtimeMs }: { ino: number; size: number; mtimeMs: number }): string =>
  `${ino} ${size} ${mtimeMs}`;
