/**
 * The vault: what must be kept and nobody may read. Envelope encryption: each record has a data key, which a vault key wraps, which
 * a root key wraps. It owns vault keys, their rotation and the key services where root keys live; it is the only room that holds
 * them. It never knows what it seals: rooms say for which purpose and record, and open it for one call.
 */

export type { PlainRows, SealedColumn, Vault, VaultStatus } from './contract.ts';
export { givenRootKeys } from './given-root-keys.ts';
export { opened } from './opened.ts';
export { openVault } from './vault.ts';
