import { StringDecoder } from 'node:string_decoder';

const LF = 0x0a;
const SPACE = 0x20;
const BOM = 0xfeff;

export interface SseReader {
  /** False once an event grew beyond the cap; nothing is read from then on. */
  push(chunk: Buffer): boolean;
  /** The id of the last event that was read to its end, where it may stand in a header; `null` where there is none. */
  lastId(): string | null;
  /** How long to wait before the stream is opened again, where the server said so. */
  retryMs(): number | null;
}

/**
 * Reads `text/event-stream` as it arrives and hands over the data of each event that has some, and its name, empty unless
 * given. Lines may end in LF, CR or CRLF, split anywhere. An event that the stream's end cuts off is not handed over.
 */
export function createSseReader(
  onData: (data: string, name: string) => void,
  maxEventBytes: number,
): SseReader {
  const decoder = new StringDecoder('utf8');
  let line = '';
  let data: string[] = [];
  let name = '';
  let id: string | null = null;
  let lastId: string | null = null;
  let retryMs: number | null = null;
  let held = 0;
  let afterCr = false;
  let begun = false;
  let broken = false;

  function endEvent(): void {
    const event = data.join('\n');
    const its = name;
    lastId = id;
    data = [];
    name = '';
    held = 0;
    if (event !== '') onData(event, its);
  }

  function endLine(text: string): void {
    if (text === '') endEvent();
    else if (text === 'data') data.push('');
    else if (text.startsWith('data:')) data.push(valueFrom(text, 5));
    else if (text.startsWith('event:')) name = valueFrom(text, 6);
    else if (text.startsWith('id:')) id = idOf(valueFrom(text, 3));
    else if (/^retry: ?\d{1,8}$/.test(text)) retryMs = Number(text.slice(6));
  }

  function read(text: string): void {
    let at = 0;
    // The next CR, looked for again only once it was passed, so that a piece without one is searched once.
    let cr = text.indexOf('\r');
    for (;;) {
      if (cr >= 0 && cr < at) cr = text.indexOf('\r', at);
      const lf = text.indexOf('\n', at);
      const end = cr >= 0 && (lf < 0 || cr < lf) ? cr : lf;
      if (end < 0) break;
      endLine(line + text.slice(at, end));
      line = '';
      at = end === cr && text.charCodeAt(end + 1) === LF ? end + 2 : end + 1;
      afterCr = end === cr && at === text.length;
    }
    line += text.slice(at);
  }

  /** Without the byte order mark at the very beginning, and without the LF of a CRLF that was split. */
  function continued(text: string): string {
    const first = text.charCodeAt(0);
    const skip = (!begun && first === BOM) || (afterCr && first === LF);
    begun = true;
    afterCr = false;
    return skip ? text.slice(1) : text;
  }

  return {
    push(chunk) {
      if (broken) return false;
      const text = decoder.write(chunk);
      if (text === '') return true;
      held += chunk.length;
      read(continued(text));
      // What is held belongs to the event under way, or came in this piece.
      const open = data.length > 0 || line !== '';
      broken = open && held > maxEventBytes;
      if (!open) held = 0;
      return !broken;
    },
    lastId: () => lastId,
    retryMs: () => retryMs,
  };
}

function valueFrom(text: string, at: number): string {
  return text.slice(text.charCodeAt(at) === SPACE ? at + 1 : at);
}

function idOf(text: string): string | null {
  return /^[\x21-\x7e]{1,1024}$/.test(text) ? text : null;
}
