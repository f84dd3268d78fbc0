import type { MaybePromise } from '#foundation';
import type { Vault } from '#vault';
import type { Connection, ConnectionSecret, Flow, FlowSecret, Place } from './kept.ts';

/** What is sealed, and for which record: moved to another one it opens for nobody. */
export type Seals = ReturnType<typeof createSeals>;

export function createSeals(vault: Vault) {
  for (const table of ['connections', 'connection_clients', 'connection_flows']) {
    vault.keeps({ table, column: 'sealed' });
  }
  return {
    sealConnection: (one: Pick<Connection, 'id'> & Place, secret: ConnectionSecret): string =>
      vault.seal('connection', secret, nameOf(one)),
    /** `null`: it is not ours, or its tokens are gone. */
    openConnection: (one: Connection): MaybePromise<ConnectionSecret | null> =>
      vault.open('connection', one.sealed, nameOf(one)) as MaybePromise<ConnectionSecret | null>,
    sealFlow: (flow: Pick<Flow, 'id'> & Place, secret: FlowSecret): string =>
      vault.seal('connection flow', secret, nameOf(flow)),
    /** `null`: it has ended. */
    openFlow: (flow: Flow): MaybePromise<FlowSecret | null> =>
      flow.sealed === ''
        ? null
        : (vault.open('connection flow', flow.sealed, nameOf(flow)) as MaybePromise<FlowSecret | null>),
  };
}

function nameOf({ id, target, userId }: Place & { readonly id: string }): string {
  return JSON.stringify([id, target.projectId, target.kind, target.id, userId]);
}
