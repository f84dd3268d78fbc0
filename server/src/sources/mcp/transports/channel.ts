import type { EgressFailure } from '#egress';
import { type Clock, err, isMembers, type Members, ok, type Result } from '#foundation';
import type { Exchange, Reply } from './exchange.ts';
import { type Message, messagesIn, parseMessage } from './message.ts';
import { aborted, createOpenRequests } from './open-requests.ts';
import type { Heard, Line } from './transport.ts';

/** JSON-RPC over a way on which messages go to and fro, and nothing but ids tells what belongs together. */
export interface Channel extends Line {
  /** What the server says at once, whole. The reason where it is no JSON-RPC. */
  receive(message: Buffer): string | null;
  /** A message of the server was too large to be kept; `beginning` is what it began with. */
  tooLarge(beginning: Buffer, maxBytes: number): void;
  /** The channel is over: what is open fails with this, and so does whatever is asked from now on. */
  fail(failure: EgressFailure): void;
  /** Since when nothing was asked, on the monotonic clock; `null` while something is under way. */
  idleSinceMs(): number | null;
  /** Whether the server said anything in JSON-RPC yet. */
  spoke(): boolean;
}

export interface ChannelOptions {
  readonly clock: Clock;
  /** Hands one message over. `null`: it is on its way; anything else is the outcome of the request in it. */
  readonly write: (body: string, limits: WriteLimits) => Promise<Result<Reply, EgressFailure> | null>;
  /** Ends what carries the channel. */
  readonly close: () => void;
  /** What to say besides where the server is silent: begins with a semicolon. */
  readonly hint?: () => string;
  readonly maxOpen?: number;
}

export type WriteLimits = Pick<Exchange, 'timeoutMs' | 'signal'>;

const tellTimeoutMs = 10_000;
/** Our ids are positive. */
const noId = -1;

export function createChannel(options: ChannelOptions): Channel {
  const { maxOpen = 1000 } = options;
  const open = createOpenRequests(options.clock, options.hint ?? (() => ''));
  const audience = createAudience();
  let over: EgressFailure | null = null;
  let spoke = false;

  function refusal({ signal }: Exchange): EgressFailure | null {
    // However it ended: it is gone, and this was not sent.
    if (over !== null) return { ...over, kind: 'interrupted', sent: false };
    if (signal?.aborted === true) return aborted(false);
    const message = `the server has ${maxOpen} requests to answer already`;
    return open.ids().length < maxOpen ? null : { kind: 'timeout', message, sent: false };
  }

  /** `false` where it is no answer to this request. */
  function answer(message: Buffer, id: number): boolean {
    if (!open.has(id)) return false;
    const parsed = parseMessage(message, id);
    if (!parsed.ok) {
      const words = `the server's answer is unreadable: ${parsed.error}`;
      open.settle(id, err({ kind: 'protocol', message: words, sent: true }));
    } else if (parsed.value.kind === 'result') open.settle(id, ok({ ...parsed.value, head: null }));
    else if (parsed.value.kind === 'error') open.settle(id, ok({ ...parsed.value, status: 200 }));
    else return false;
    spoke = true;
    return true;
  }

  /** What does not begin or end as an answer usually does is read as a whole, to find out what it is. */
  function receiveUnusual(message: Buffer): string | null {
    const parsed = parseMessage(message, noId);
    if (!parsed.ok) return parsed.error;
    spoke = true;
    const said = parsed.value;
    if (said.kind === 'foreign') answer(message, JSON.parse(message.toString('utf8')).id);
    else if (said.kind === 'error') {
      // A server that could not read a request does not know its id.
      const [only, ...others] = open.ids();
      if (only !== undefined && others.length === 0) open.settle(only, ok({ ...said, status: 200 }));
    } else if (said.kind === 'request' || said.kind === 'notification') {
      const about = said.kind === 'notification' ? requestOf(said.params) : noId;
      if (!open.hear(about, said)) audience.hear(said, message.length);
    }
    return null;
  }

  function receiveOne(message: Buffer): string | null {
    const id = usualId(message);
    return id !== null && answer(message, id) ? null : receiveUnusual(message);
  }

  function fail(failure: EgressFailure): void {
    if (over !== null) return;
    over = failure;
    for (const id of open.ids()) open.settle(id, err(failure));
    audience.end();
  }

  return {
    isChannel: true,
    request(request) {
      const refused = refusal(request);
      if (refused !== null) return Promise.resolve(err(refused));
      const answered = open.add(request);
      // The answer may be there before the server said that it took the request.
      void options.write(request.body, request).then((outcome) => {
        if (outcome !== null) open.settle(request.id, outcome);
      });
      return answered;
    },
    async tell(message) {
      if (over !== null) return;
      const body = JSON.stringify({ jsonrpc: '2.0', ...message });
      await options.write(body, { timeoutMs: tellTimeoutMs, signal: null });
    },
    listen: (_session, heard) => ({
      ready: Promise.resolve(),
      stop: audience.add(heard, () => over !== null),
    }),
    async end() {
      fail({ kind: 'stopped', message: 'the connection to the server was closed', sent: true });
      options.close();
    },
    receive(said) {
      const problems = messagesIn(said).map(receiveOne);
      return problems.find((problem) => problem !== null) ?? null;
    },
    tooLarge(beginning, maxBytes) {
      const message = `the server's message is larger than ${maxBytes} bytes`;
      const id = usualId(beginning);
      for (const one of id !== null && open.has(id) ? [id] : open.ids()) {
        open.settle(one, err({ kind: 'too_large', message, sent: true }));
      }
    },
    fail,
    idleSinceMs: open.idleSinceMs,
    spoke: () => spoke,
  };
}

const usualHead = /^\{"jsonrpc":"2\.0","id":(\d{1,15}),"result":/;
const usualTail = /,"jsonrpc":"2\.0","id":(\d{1,15})\}$/;
const usualBytes = 60;

/** The id of an answer in the shapes that servers really write; a guess, which parsing the answer proves. */
function usualId(message: Buffer): number | null {
  const found =
    usualHead.exec(message.toString('latin1', 0, usualBytes)) ??
    usualTail.exec(message.toString('latin1', Math.max(0, message.length - usualBytes)));
  return found === null ? null : Number(found[1]);
}

/** The request that a notification names: its progress token, or its subscription. */
function requestOf(params: Members | undefined): number {
  const { progressToken, _meta } = params ?? {};
  const subscription = isMembers(_meta) ? _meta['io.modelcontextprotocol/subscriptionId'] : undefined;
  const named = progressToken ?? subscription;
  return typeof named === 'number' || typeof named === 'string' ? Number(named) : noId;
}

/** What the server says before anybody listens is kept for the first who does; no more, as it would fill our memory. */
const maxUnheard = 100;
const maxUnheardBytes = 1024 * 1024;

function createAudience() {
  const listeners = new Set<Heard>();
  let unheard: Message[] | null = [];
  let unheardBytes = 0;

  return {
    hear(message: Message, bytes: number): void {
      for (const { onMessage } of listeners) onMessage(message);
      if (unheard === null || unheard.length >= maxUnheard || unheardBytes + bytes > maxUnheardBytes) return;
      unheard.push(message);
      unheardBytes += bytes;
    },
    /** Calls nobody back before it returned. */
    add(heard: Heard, isOver: () => boolean): () => void {
      let stopped = false;
      queueMicrotask(() => {
        if (stopped) return;
        const kept = unheard ?? [];
        unheard = null;
        for (const message of kept) heard.onMessage(message);
        if (isOver()) heard.onEnd();
        else listeners.add(heard);
      });
      return () => {
        stopped = true;
        listeners.delete(heard);
      };
    },
    end(): void {
      for (const { onEnd } of listeners) onEnd();
      listeners.clear();
    },
  };
}
