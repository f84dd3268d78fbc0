const LF = 0x0a;
const CR = 0x0d;
const beginningBytes = 1000;

export interface LineReaderOptions {
  readonly maxBytes: number;
  /** One line, without its end; none that is empty. */
  readonly onLine: (line: Buffer) => void;
  /** A line is longer than that: it is passed over, whatever follows of it. */
  readonly onTooLong: (beginning: Buffer) => void;
  /** It is twice as long already. */
  readonly onEndless: () => void;
}

/** Cuts what a process writes into lines as it comes, and keeps no more than `maxBytes` of one. Returns where to put it. */
export function createLineReader({ maxBytes, onLine, onTooLong, onEndless }: LineReaderOptions) {
  let held: Buffer[] = [];
  let bytes = 0;

  function add(piece: Buffer): void {
    const before = bytes;
    bytes += piece.length;
    if (before > 2 * maxBytes) return;
    if (bytes > 2 * maxBytes) onEndless();
    if (before > maxBytes) return;
    held.push(piece);
    if (bytes <= maxBytes) return;
    onTooLong(Buffer.concat(held, Math.min(bytes, beginningBytes)));
    held = [];
  }

  function endLine(): void {
    const whole = held.length === 1 ? (held[0] as Buffer) : Buffer.concat(held);
    const line = whole.at(-1) === CR ? whole.subarray(0, -1) : whole;
    const isWhole = bytes <= maxBytes;
    held = [];
    bytes = 0;
    if (isWhole && line.length > 0) onLine(line);
  }

  return (chunk: Buffer): void => {
    let at = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, at)) {
      if (end > at) add(chunk.subarray(at, end));
      endLine();
      at = end + 1;
    }
    if (at < chunk.length) add(chunk.subarray(at));
  };
}
