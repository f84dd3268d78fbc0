import { write, writeSync } from 'node:fs';

/**
 * Text on its way to a file descriptor: in order, gathered for a moment, written beside the event loop. One that is full or
 * was closed costs lines, never a call.
 */
export interface LogOutput {
  /** Never throws, never waits. */
  write(text: string): void;
  /** Everything said until now is written, or cannot be in time. */
  flush(): Promise<void>;
  /** As the process ends, when nothing else runs any more. */
  flushNow(): void;
}

export interface LogOutputOptions {
  readonly fd: number;
  /** Kept while nothing can be written; what is said beyond that is lost. */
  readonly maxKeptBytes?: number;
  /** Told once there is room again. */
  readonly onLost: (count: number) => void;
}

const gatherMs = 50;
const gatherChars = 16 * 1024;
const retryMs = 100;
const flushTimeoutMs = 2000;

export function createLogOutput({ fd, maxKeptBytes = 4 * 1024 * 1024, onLost }: LogOutputOptions): LogOutput {
  let kept = '';
  /** Being written, or to be tried again. */
  let taken: Buffer = Buffer.alloc(0);
  let isWriting = false;
  /** Until more is gathered, or until it is tried again. */
  let timer: NodeJS.Timeout | null = null;
  let lost = 0;
  let isClosed = false;
  const waiting: (() => void)[] = [];

  function later(run: () => void, afterMs: number): void {
    timer ??= setTimeout(() => {
      timer = null;
      run();
    }, afterMs).unref();
  }

  function go(): void {
    if (isWriting || isClosed) return;
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (taken.length === 0) take();
    if (taken.length === 0) {
      settle();
      return;
    }
    isWriting = true;
    write(fd, taken, 0, taken.length, null, (error, written) => {
      isWriting = false;
      if (error !== null) return failed(error);
      taken = taken.subarray(written);
      if (taken.length > 0 || kept.length >= gatherChars || waiting.length > 0) go();
      else if (kept !== '') later(go, gatherMs);
    });
  }

  function take(): void {
    taken = Buffer.from(kept);
    kept = '';
    if (lost === 0) return;
    const count = lost;
    lost = 0;
    onLost(count);
  }

  function failed({ code }: NodeJS.ErrnoException): void {
    // Nobody reads any more: there is nothing to try again.
    isClosed = code === 'EPIPE' || code === 'EBADF';
    if (isClosed) {
      kept = '';
      settle();
    } else {
      later(go, retryMs);
    }
  }

  function settle(): void {
    for (const done of waiting.splice(0)) done();
  }

  return {
    write(text) {
      if (isClosed) return;
      if (kept.length + text.length > maxKeptBytes) {
        lost++;
        return;
      }
      kept += text;
      if (kept.length < gatherChars) later(go, gatherMs);
      else if (timer === null || taken.length === 0) go();
    },
    async flush() {
      if (isClosed) return;
      let limit: NodeJS.Timeout | null = null;
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        limit = setTimeout(resolve, flushTimeoutMs);
        go();
      });
      if (limit !== null) clearTimeout(limit);
    },
    flushNow() {
      if (isClosed) return;
      const rest = isWriting ? Buffer.alloc(0) : taken;
      take();
      writeNow(fd, Buffer.concat([rest, taken]));
    },
  };
}

function writeNow(fd: number, bytes: Buffer): void {
  let rest = bytes;
  for (let tries = 0; rest.length > 0 && tries < 50; ) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      tries++;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}
