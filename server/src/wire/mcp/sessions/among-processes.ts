import type { RpcId } from '../rpc.ts';
import type { Session } from './session.ts';
import type { SessionShelf } from './session-shelf.ts';

/**
 * What became known in the process of a server that ends sessions, and where the notifications of their clients arrive; others
 * serve calls in them.
 */
export type SessionNews =
  | { readonly kind: 'ended'; readonly id: string }
  /** The client wants no answer to this request any more. */
  | { readonly kind: 'cancelled'; readonly id: string; readonly request: RpcId };

/** To all processes of the server that serve in sessions beside this one; done when they act by it. */
export type TellProcesses = (news: SessionNews) => Promise<void>;

/** By a longer id no request is taken back elsewhere: what is told to all should be short. */
const maxToldId = 256;

/** Whether a request of this id can be taken back wherever it is served. */
export function isToldOf(id: RpcId): boolean {
  return typeof id === 'number' || (typeof id === 'string' && id.length <= maxToldId);
}

/** `ended`: lets go of a session here. */
export function amongProcesses(shelf: SessionShelf, tell: TellProcesses, ended: (id: string) => void) {
  return {
    /** The client takes a request back, whichever process serves it. */
    cancel({ id, pending }: Session, request: RpcId): void {
      const here = pending.get(request);
      if (here !== undefined) here.abort();
      else if (isToldOf(request)) void tell({ kind: 'cancelled', id, request });
    },
    /** What another process told. */
    heard(news: SessionNews): void {
      if (news.kind === 'ended') ended(news.id);
      else shelf.byId(news.id)?.pending.get(news.request)?.abort();
    },
    /** Ids of sessions that were in use here since then. */
    usedSince: shelf.usedSince,
    /** They were in use elsewhere: here, too, they are not idle. */
    usedElsewhere(ids: readonly string[]): void {
      for (const id of ids) {
        const session = shelf.byId(id);
        if (session !== undefined) shelf.touch(session);
      }
    },
  };
}
