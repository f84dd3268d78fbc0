import type { ListKind } from '#catalog';
import { refusal } from '#domain';
import type { Result } from '#foundation';
import { Exchange, messageEvent } from '../exchange.ts';
import { type McpDeps, type Refused, refused } from '../front.ts';
import type { ClientMessage } from '../rpc.ts';
import type { Session } from '../sessions/session.ts';
import { say } from '../streams.ts';
import { allLists, listenOn } from './listening.ts';
import { serveLegacy } from './serve.ts';

type Body = ClientMessage | ClientMessage[];

/** Answers travel on these streams too, and may be long. */
export const maxUnreadBytes = 8 * 1024 * 1024;
/** No connection is held open for each of them. */
const maxUnderWay = 100;

/** The stream of a client of HTTP+SSE, and its session once there was the handshake. */
export class ClientStream {
  /** The GET that opened it. */
  readonly exchange: Exchange;
  /** The lists whose changes are told; none before the handshake. */
  readonly lists = new Set<ListKind>();
  session: Session | null = null;
  underWay = 0;
  readonly #deps: McpDeps;

  constructor(exchange: Exchange, deps: McpDeps) {
    this.exchange = exchange;
    this.#deps = deps;
  }

  /** It may wait for its last words to be read. */
  get isOver(): boolean {
    const { writableEnded, destroyed } = this.exchange.response;
    return writableEnded || destroyed;
  }

  /** Why a message is not to be taken; `null`: it is. */
  whyNot(body: Body): Refused | null {
    if (!isAsking(body)) return null;
    const isHandshake = !Array.isArray(body) && body.kind === 'request' && body.method === 'initialize';
    if (isHandshake !== (this.session === null)) {
      const told = isHandshake ? 'this stream has its session already' : 'initialize comes first';
      return refused(refusal('request.invalid', told, { field: 'method' }));
    }
    if (this.underWay < maxUnderWay) return null;
    const told = `at most ${maxUnderWay} requests of a stream are under way at once`;
    return refused(refusal('session.limit', told));
  }

  bind(session: Session): void {
    this.session = session;
    for (const list of allLists) this.lists.add(list);
    listenOn(this.exchange, session, this.#deps, maxUnreadBytes);
  }
}

/** One POST of such a client, already taken: all that there is to say goes to the stream. */
export class StreamedExchange extends Exchange {
  readonly #stream: ClientStream;

  constructor(post: Exchange, stream: ClientStream) {
    super(post.request, stream.exchange.response, post.caller, post.view, post.startedAt);
    this.span = post.span;
    this.#stream = stream;
  }

  async serve(body: Body, deps: McpDeps): Promise<Result<void, Refused>> {
    const counted = isAsking(body) ? 1 : 0;
    this.#stream.underWay += counted;
    try {
      return await serveLegacy(this, body, deps);
    } finally {
      this.#stream.underWay -= counted;
    }
  }

  override large(): null {
    return null;
  }

  override get acceptsStream(): boolean {
    return true;
  }

  override get sessionId(): string | undefined {
    return this.#stream.session?.sealedId;
  }

  override answer(_status: number, json: string | Buffer): void {
    if (!this.response.destroyed) say(this.response, messageEvent(json), maxUnreadBytes);
  }

  override answerInSession(session: Session, json: string | Buffer): void {
    this.#stream.bind(session);
    this.answer(200, json);
  }

  /** The POST was answered when it was taken, and the stream has its own life. */
  override empty(): void {}
  override endSilently(): void {}
  override keepAlive(): void {}
  override beginStream(): void {}
}

/** Whether an answer is awaited. */
function isAsking(body: Body): boolean {
  return Array.isArray(body) || body.kind === 'request';
}
