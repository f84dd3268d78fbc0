import type { KnownProvider } from '../known-provider.ts';
import { github } from './github.ts';

/** The well-known providers, in the order of their ids. */
export const knownProviders: readonly KnownProvider[] = [github];

const byId = new Map(knownProviders.map((known) => [known.id, known]));

export function knownProvider(id: string): KnownProvider | null {
  return byId.get(id) ?? null;
}
