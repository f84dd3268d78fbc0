import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';

/** One entry of the list at the start of an archive; `size` is `null` for a directory. */
type Entry = [path: string, size: number | null];

/** A directory as one compressed buffer: a line of JSON that lists the entries, then the contents of the files. */
export function packDirectory(directory: string): Buffer {
  const entries: Entry[] = [];
  const contents: Buffer[] = [];
  for (const found of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    const absolute = join(found.parentPath, found.name);
    const path = absolute.slice(directory.length + 1).replaceAll('\\', '/');
    if (found.isDirectory()) {
      entries.push([path, null]);
    } else {
      const bytes = readFileSync(absolute);
      entries.push([path, bytes.length]);
      contents.push(bytes);
    }
  }
  return zstdCompressSync(Buffer.concat([Buffer.from(`${JSON.stringify(entries)}\n`), ...contents]));
}

/** Writes what `packDirectory` packed. Throws on a damaged archive. */
export function unpackDirectory(archive: Buffer, directory: string): void {
  const bytes = zstdDecompressSync(archive);
  const end = bytes.indexOf('\n');
  const entries = JSON.parse(bytes.toString('utf8', 0, end)) as Entry[];
  for (const [path, size] of entries)
    if (size === null) mkdirSync(join(directory, path), { recursive: true });
  let at = end + 1;
  for (const [path, size] of entries) {
    if (size === null) continue;
    writeFileSync(join(directory, path), bytes.subarray(at, at + size), { mode: 0o600 });
    at += size;
  }
}
