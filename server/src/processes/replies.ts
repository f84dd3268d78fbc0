/** What one of two processes waits for from the other. */
export interface Replies<Answer> {
  /** Asks, under a number of its own, and waits; `late` decides what becomes of it after so long. */
  to(
    ask: (id: number) => void,
    withinMs: number,
    late: (give: (answer: Answer) => void) => void,
  ): Promise<Answer>;
  take(id: number, answer: Answer): void;
  /** Nobody will answer any more. */
  end(answer: Answer): void;
}

export function createReplies<Answer>(): Replies<Answer> {
  const waiting = new Map<number, (answer: Answer) => void>();
  let nextId = 1;
  return {
    async to(ask, withinMs, late) {
      const id = nextId++;
      const { promise, resolve } = Promise.withResolvers<Answer>();
      waiting.set(id, resolve);
      ask(id);
      const timer = setTimeout(() => late(resolve), withinMs);
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        waiting.delete(id);
      }
    },
    take: (id, answer) => waiting.get(id)?.(answer),
    end(answer) {
      for (const give of waiting.values()) give(answer);
    },
  };
}
