import type { CountAnswer } from './answers.ts';
import type { Socket } from './fast/connection.ts';
import { createFastFront } from './fast/front.ts';
import type { FastResponse } from './fast/response.ts';
import type { WholeRequest } from './fast/whole-request.ts';
import { type AnswerPart, sayParts } from './passed-on.ts';
import { keepAliveMs } from './server.ts';

export interface LaneFrontDeps {
  /** `false`: the whole connection is another process's. */
  accepts(request: WholeRequest): boolean;
  /** Whether it is served here; nothing was said where it is not. */
  serves(request: WholeRequest, response: FastResponse): boolean;
  /** What becomes of a request that another process serves. */
  pass(passing: PassedRequest): void;
  /** Another process goes on with the connection. */
  handOver(socket: Socket, bytes: Buffer): void;
  /** Of what was served here. */
  readonly answered: CountAnswer;
}

export type PassedRequest =
  | { readonly kind: 'request'; readonly id: number; readonly request: WholeRequest }
  | { readonly kind: 'taken'; readonly id: number; readonly bytes: number }
  | { readonly kind: 'over'; readonly id: number; readonly isFinished: boolean };

/** The connections of a process that serves only what stands alone: all other requests are passed on, and answered by another. */
export function createLaneFront({ accepts, serves, pass, handOver, answered }: LaneFrontDeps) {
  const passed = new Map<number, FastResponse>();
  let underWay = 0;
  let nextId = 0;
  let whenDone: (() => void) | null = null;

  function passOn(request: WholeRequest, response: FastResponse): void {
    const id = nextId++;
    passed.set(id, response);
    response.once('close', () => {
      passed.delete(id);
      pass({ kind: 'over', id, isFinished: response.writableFinished });
    });
    pass({ kind: 'request', id, request });
  }

  const fast = createFastFront({
    accepts,
    serve(request, response) {
      underWay++;
      let isOurs = false;
      response.once('close', () => {
        underWay--;
        if (isOurs && response.headersSent) answered('mcp', response.statusCode);
        if (underWay === 0) whenDone?.();
      });
      isOurs = serves(request, response);
      if (!isOurs) passOn(request, response);
    },
    handOver,
    keepAliveMs,
  });

  return {
    take(socket: Socket): void {
      fast.take(socket);
    },
    answering(answers: readonly (AnswerPart & { readonly id: number })[]): void {
      const id = answers[0]?.id ?? -1;
      const response = passed.get(id);
      if (response === undefined) return;
      sayParts(response, answers, (bytes) => pass({ kind: 'taken', id, bytes }));
    },
    /** Ends connections as they become idle, and after `withinMs` all of them. */
    async close(withinMs: number): Promise<void> {
      fast.stop();
      if (underWay === 0) return;
      const done = Promise.withResolvers<void>();
      whenDone = done.resolve;
      const cut = setTimeout(fast.cut, withinMs);
      await done.promise;
      clearTimeout(cut);
    },
  };
}
