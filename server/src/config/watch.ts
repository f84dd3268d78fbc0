import { hash } from 'node:crypto';
import type { FSWatcher } from 'node:fs';
import { watch } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

export interface ConfigWatch {
  /** Settles when changes are seen. Wait for it before loading the file, so that no change falls between the two. */
  readonly ready: Promise<void>;
  close(): void;
}

interface WatchOptions {
  /** How long the file must be quiet before it is looked at. */
  readonly quietMs?: number;
  /** Told what `onChange` threw, and why watching stopped working. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Calls `onChange` after the file's content changed: written in place, replaced by a rename (editors), removed, or
 * swapped behind symbolic links (Kubernetes config maps). Directories are watched, not the file, because a replaced
 * file is another file. One `onChange` at a time; changes during it lead to one more. Never throws.
 */
export function watchConfigFile(
  path: string,
  onChange: () => void | Promise<void>,
  { quietMs = 100, onError = () => {} }: WatchOptions = {},
): ConfigWatch {
  const file = resolve(path);
  const watchers = new Map<string, FSWatcher>();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let known = digestOf(file);
  const ready = known.then(watchLinkTarget);
  let work = ready;

  function watchDirectory(directory: string): void {
    if (closed || watchers.has(directory)) return;
    try {
      const watcher = watch(directory, { persistent: false }, touched);
      watchers.set(directory, watcher);
      watcher.on('error', (error) => {
        watchers.delete(directory);
        watcher.close();
        onError(error);
      });
    } catch (error) {
      onError(error);
    }
  }

  /** Where the path is a link, what it leads to may change without the path's own directory noticing. */
  async function watchLinkTarget(): Promise<void> {
    const target = await realpath(file).catch(() => file);
    const wanted = new Set([dirname(file), dirname(target)]);
    for (const [directory, watcher] of watchers) {
      if (wanted.has(directory)) continue;
      watcher.close();
      watchers.delete(directory);
    }
    for (const directory of wanted) watchDirectory(directory);
  }

  function touched(): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      work = work.then(look);
    }, quietMs);
    timer.unref();
  }

  async function look(): Promise<void> {
    if (closed) return;
    await watchLinkTarget();
    const before = await known;
    known = digestOf(file);
    if ((await known) === before || closed) return;
    try {
      await onChange();
    } catch (error) {
      onError(error);
    }
  }

  watchDirectory(dirname(file));
  return {
    ready,
    close() {
      closed = true;
      clearTimeout(timer);
      for (const watcher of watchers.values()) watcher.close();
      watchers.clear();
    },
  };
}

/** Empty where the file cannot be read. */
async function digestOf(file: string): Promise<string> {
  try {
    return hash('sha256', await readFile(file));
  } catch {
    return '';
  }
}
