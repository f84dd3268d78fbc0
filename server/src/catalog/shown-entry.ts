import type { Members } from '#foundation';
import type { StoredEntry } from './stored-offer.ts';

/** An entry as a gateway lists it: some members replaced, the others as they came, in their order. */
export function listedAs({ listed, available }: StoredEntry, replaced: Members): Members {
  if (available) return { ...listed, ...replaced };
  const _meta = { ...(listed._meta as Members | undefined), 'sallyport/available': false };
  return { ...listed, ...replaced, _meta };
}
