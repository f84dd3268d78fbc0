import type { LargeResult } from '#domain';
import type { Borrower, EgressFailure, UpstreamHead } from '#egress';
import { err, type Members, ok, type Result } from '#foundation';
import type { Exchange, Reply } from './endpoint.ts';
import { MemberSieve } from './member-sieve.ts';

/** The answer to a request whose result may go on while it comes. */
export interface LargeAnswer extends Borrower {
  /** The body is complete; `replyOf` reads one that was held as a whole. */
  end(
    head: UpstreamHead,
    replyOf: (head: UpstreamHead, body: Buffer, id: number) => Reply,
  ): Result<Reply, EgressFailure>;
}

/** What is smaller is held and looked at as a whole. */
const largeFromBytes = 64 * 1024;
/** The message before its result, at most. */
const frontBytes = 256;
const maxTailBytes = 1024;
/** What has to be known of a result, or is not for the client as it is. */
const gathers = new Map([
  ['isError', 'known'],
  ['nextCursor', 'known'],
  ['resultType', 'taken'],
  ['_meta', 'taken'],
] as const);

/** From how many bytes on an answer goes on while it comes; `null`: it is not large. One that does not say so may be. */
export function passesFrom(head: UpstreamHead): number | null {
  const length = head.header('content-length');
  if (length === undefined) return largeFromBytes;
  return Number(length) >= largeFromBytes ? frontBytes : null;
}

/**
 * Hands on the members of a result, as they come, where the message begins like one that answers our request with a result;
 * everything else it holds. It fails at once where what comes is no such message.
 */
export function createLargeAnswer(
  { id, timeoutMs }: Exchange,
  large: LargeResult,
  fromBytes: number,
  maxBytes: number,
  fail: (failure: EgressFailure) => void,
): LargeAnswer {
  let held: Buffer[] = [];
  let length = 0;
  let mayPass = true;
  let failed = false;
  /** The message up to its result, once that goes on. */
  let begun: string | null = null;
  let tail = '';
  let partLeft = () => {};
  let parts = 0;
  const pass = (bytes: Buffer) => {
    parts++;
    large.write(bytes, partLeft);
  };
  const sieve = new MemberSieve(gathers, pass, (name) => large.member?.(name));

  function refuse(kind: 'too_large' | 'protocol', message: string): void {
    failed = true;
    fail({ kind, message: `the answer is refused: ${message}`, sent: true });
  }

  function begin(): void {
    const body = Buffer.concat(held, length);
    held = [body];
    const found = frontOf(body, id);
    mayPass = found !== null && large.begin();
    if (!mayPass || found === null) return;
    begun = found;
    held = [];
    handOn(body.subarray(found.length), () => {});
  }

  /** A piece may leave in several parts; it is given back when the last one has left. */
  function handOn(piece: Buffer, giveBack: () => void): void {
    let gone = 0;
    let all = -1;
    const leave = () => {
      gone++;
      if (gone === all) giveBack();
    };
    partLeft = leave;
    parts = 0;
    const end = sieve.isDone ? 0 : sieve.read(piece, 0);
    if (end < piece.length) tail += piece.toString('latin1', end, end + maxTailBytes + 1);
    all = parts + 1;
    leave();
    if (sieve.problem !== null) refuse('protocol', sieve.problem);
    else if (tail.length > maxTailBytes) refuse('protocol', 'something comes after its result');
  }

  return {
    idleTimeoutMs: timeoutMs,
    take(piece, giveBack) {
      length += piece.length;
      if (failed) return giveBack();
      if (length > maxBytes) {
        giveBack();
        return refuse('too_large', `its body is larger than the ${maxBytes} bytes allowed`);
      }
      if (begun !== null) return handOn(piece, giveBack);
      held.push(Buffer.from(piece));
      giveBack();
      if (mayPass && length >= fromBytes) begin();
    },
    end(head, replyOf) {
      if (begun === null) return ok(replyOf(head, Buffer.concat(held, length), id));
      const result = sieve.isDone && isAnswer(`${begun.slice(0, -1)}0${tail}`, id) ? restOf(sieve) : null;
      if (result !== null) return ok({ kind: 'result', ...result, head, passed: true });
      const message = 'the answer is refused: it does not end as the answer to the request';
      return err({ kind: 'protocol', message, sent: true });
    },
  };
}

/** The beginning of the message up to and with the brace of its result, in the shapes that servers really write. */
function frontOf(body: Buffer, id: number): string | null {
  const found = front.exec(body.toString('latin1', 0, frontBytes));
  const said = found?.[1];
  return found !== null && (said === undefined || Number(said) === id) ? found[0] : null;
}

const front = /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*"id"\s*:\s*([1-9]\d{0,15})\s*,\s*)?"result"\s*:\s*\{/;

/** Of a message without its result. */
function isAnswer(json: string, id: number): boolean {
  try {
    const message = JSON.parse(json) as Members;
    return message.jsonrpc === '2.0' && message.id === id && message.result === 0 && !('error' in message);
  } catch {
    return false;
  }
}

/** What did not go on, as the result that it is; and that there is content, where there is. */
function restOf({ gathered, names }: MemberSieve): { result: Members; bytes: Buffer } | null {
  const textOf = (members: readonly (readonly [string, Buffer])[]) =>
    `{${members.map(([name, value]) => `"${name}":${value.toString('utf8')}`).join(',')}}`;
  const members = [...gathered];
  const bytes = Buffer.from(textOf(members.filter(([name]) => name !== 'isError')));
  try {
    const known = JSON.parse(textOf(members)) as Members;
    return { result: names.has('content') ? { ...known, content: [] } : known, bytes };
  } catch {
    return null;
  }
}
