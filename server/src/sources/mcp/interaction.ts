import type { ClientSide, InputAnswer, InputRequest } from '#domain';
import { type Clock, isMembers, type Members } from '#foundation';
import { inputRequestOf, undeclared } from './capabilities.ts';
import { refusalOf } from './protocol.ts';
import type { ServerRequest } from './transports/message.ts';

/** What a server of the legacy era asks its client in the course of one request. */
export interface Interaction {
  /** The server asks; `respond` takes the answer, a JSON-RPC response, to it. */
  arrive(request: ServerRequest, respond: (answer: object) => void): void;
  /** The server does not wait for that answer any more. */
  cancelled(id: unknown): void;
  /** How much longer the server may be silent: as long as it waits itself, and then as long as ever. */
  moreTimeMs(): number;
  /** What is open, by key. */
  questions(): { readonly [key: string]: InputRequest };
  /** Resolves when something is open that came together. For a client that cannot be asked at once. */
  asked(): Promise<void>;
  /** Hands over what a client brings for the questions that are open; those without an answer stay open. */
  answer(responses: Members): void;
  /** Nobody answers what is open. */
  refuse(message: string): void;
  /** The request is over, so nothing that is open matters. */
  end(): void;
}

interface Question {
  readonly id: string | number;
  readonly request: InputRequest;
  readonly respond: (answer: object) => void;
  readonly abort: AbortController;
}

export interface InteractionOptions {
  readonly client: Pick<ClientSide, 'ask' | 'capabilities'>;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

const maxOpen = 32;

export function createInteraction({ client, timeoutMs, clock }: InteractionOptions): Interaction {
  const { ask, capabilities } = client;
  const open = new Map<string, Question>();
  let last = 0;
  let isOver = false;
  let answeredAt = Number.NEGATIVE_INFINITY;
  let wake: (() => void) | null = null;

  function settle(key: string, answer: InputAnswer): void {
    const question = open.get(key);
    if (question === undefined) return;
    open.delete(key);
    answeredAt = clock.monotonic();
    question.respond({ id: question.id, ...answer });
  }

  function drop(key: string, { abort }: Question): void {
    open.delete(key);
    abort.abort();
  }

  return {
    arrive(request, respond) {
      const { id, method, params } = request;
      const problem = method === 'ping' ? null : undeclared(capabilities, request);
      if (method === 'ping') return respond(refusalOf(request));
      if (problem !== null) return respond({ id, error: { code: problem.code, message: problem.message } });
      if (isOver || open.size >= maxOpen) {
        const message = isOver ? 'the request is over' : `${maxOpen} questions are open already`;
        return respond({ id, error: { code: -32603, message } });
      }
      last += 1;
      const key = `question-${last}`;
      const question = { id, request: inputRequestOf(method, params), respond, abort: new AbortController() };
      open.set(key, question);
      if (ask !== null) {
        void ask(question.request, question.abort.signal).then((answer) => settle(key, answer));
      } else wake?.();
    },
    cancelled(id) {
      for (const [key, question] of open) if (question.id === id) drop(key, question);
    },
    moreTimeMs() {
      return open.size > 0 ? timeoutMs : Math.max(0, answeredAt + timeoutMs - clock.monotonic());
    },
    questions() {
      return Object.fromEntries([...open].map(([key, { request }]) => [key, request]));
    },
    async asked() {
      for (;;) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        if (open.size > 0) resolve();
        await promise;
        // Whatever comes in the same piece of the stream is asked together.
        await new Promise<void>((done) => setImmediate(done));
        if (open.size > 0) return;
      }
    },
    answer(responses) {
      for (const [key, result] of Object.entries(responses)) {
        if (isMembers(result)) settle(key, { result });
      }
    },
    refuse(message) {
      for (const key of [...open.keys()]) settle(key, { error: { code: -32603, message } });
    },
    end() {
      isOver = true;
      for (const [key, question] of open) drop(key, question);
    },
  };
}
