import { readFile, stat } from 'node:fs/promises';
import { CommandError } from '../command-error.ts';

const greatestBytes = 16 * 1024 * 1024;

/**
 * The text of a file as it is, a byte order mark included, so that writing it back changes no byte; `null` where there is
 * no file. A file that is not text in UTF-8 is refused: it could not be written back. So is what has no end, as a pipe or a
 * device. `shown`: its name in errors.
 */
export async function readText(path: string, shown = path): Promise<string | null> {
  let bytes: Buffer;
  try {
    const found = await stat(path);
    if (!found.isFile()) {
      throw new CommandError(
        'file.unreadable',
        `${shown} cannot be read: it is ${found.isDirectory() ? 'a folder' : 'no file'}`,
      );
    }
    if (found.size > greatestBytes)
      throw new CommandError('file.too-large', `${shown} is larger than 16 MiB.`);
    bytes = await readFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    if (error instanceof CommandError) throw error;
    const why = code === 'EACCES' ? 'no permission' : message;
    throw new CommandError('file.unreadable', `${shown} cannot be read: ${why}`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CommandError(
      'file.not-text',
      `${shown} is not text in UTF-8; save it as UTF-8, or keep it out of here.`,
    );
  }
}
