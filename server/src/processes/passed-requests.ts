import type { Answering, Desk, Passing } from './messages.ts';

/** The requests of one lane that this process answers. */
export interface PassedRequests {
  take(passing: Passing): void;
  /** The lane is gone, and with it all of its clients. */
  end(): void;
}

export function createPassedRequests(
  desk: Desk,
  send: (answering: readonly Answering[]) => void,
): PassedRequests {
  const underWay = new Map<number, ReturnType<Desk['serve']>>();
  return {
    take(passing) {
      const { id } = passing;
      switch (passing.kind) {
        case 'request': {
          const answer: Parameters<Desk['serve']>[0]['answer'] = (parts) =>
            send(parts.map((part) => ({ ...part, id })));
          underWay.set(id, desk.serve({ request: passing.request, answer }));
          break;
        }
        case 'taken':
          underWay.get(id)?.taken(passing.bytes);
          break;
        case 'over':
          underWay.get(id)?.over(passing.isFinished);
          underWay.delete(id);
      }
    },
    end() {
      for (const one of underWay.values()) one.over(false);
      underWay.clear();
    },
  };
}
