import type { Clock } from '#foundation';

/** What a process writes beside the protocol, on its way to the log. */
export interface LineLog {
  add(line: Buffer): void;
  count(): number;
  /** The last line, short; `null` where there was none. */
  last(): string | null;
}

const maxLength = 1000;
const maxLastLength = 300;
const windowMs = 60_000;
const maxInWindow = 100;

/** `write` gets each line without the source's secrets; of a flood, only its beginning in each minute. */
export function createLineLog(
  clock: Clock,
  veil: (text: string) => string,
  write: (text: string) => void,
): LineLog {
  let count = 0;
  let last: Buffer | null = null;
  let inWindow = 0;
  let windowEndsMs = 0;

  /** Veiled before it is cut, or a part of a secret could be left. */
  const words = (line: Buffer, length: number) => {
    const text = veil(line.toString('utf8'));
    return text.length > length ? `${text.slice(0, length)}…` : text;
  };

  return {
    add(line) {
      count++;
      last = line;
      if (clock.monotonic() >= windowEndsMs) {
        if (inWindow > maxInWindow) write(`${inWindow - maxInWindow} lines were left out`);
        inWindow = 0;
        windowEndsMs = clock.monotonic() + windowMs;
      }
      inWindow++;
      if (inWindow <= maxInWindow) write(words(line, maxLength));
    },
    count: () => count,
    last: () => (last === null ? null : words(last, maxLastLength)),
  };
}
