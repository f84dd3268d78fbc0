import { type Clock, createSealer } from '#foundation';
import { type Db, serverKey } from '#storage';
import type { Vault } from './contract.ts';

export interface VaultDeps {
  readonly db: Db;
  readonly clock: Clock;
}

export async function openVault({ db, clock }: VaultDeps): Promise<Vault> {
  const sealer = createSealer(await serverKey(db, 'vault', clock.iso()));
  return {
    seal: sealer.seal,
    open: sealer.open,
    keeps: () => undefined,
    serverKey: (name) => serverKey(db, name, clock.iso()),
    close: () => undefined,
  };
}
