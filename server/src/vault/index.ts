/**
 * The vault: what must be kept and nobody may read. Envelope encryption with root keys by reference; the only room that holds them.
 */

export type { SealedColumn, Vault } from './contract.ts';
export { openVault } from './vault.ts';
