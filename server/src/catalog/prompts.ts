import type { ShownPrompt } from './contract.ts';
import { listedAs } from './shown-entry.ts';
import type { StoredEntry } from './stored-offer.ts';
import { nameAll, plainName } from './wire-names.ts';

/** Prompts under their names on a gateway: by the rules of tool names, or as their only source calls them. */
export function showPrompts(chosen: readonly StoredEntry[], ownNames: boolean): readonly ShownPrompt[] {
  const names = nameAll(
    chosen.map(({ target, own, firstSeenMs }) => ({
      id: target.id,
      chosen: null,
      plain: plainName(target.sourceId, own),
      isOwner: target.ruleName === `${target.sourceId}.${own}`,
      firstSeenMs,
    })),
  );
  return chosen.map((entry) => {
    const { target, own } = entry;
    const wireName = ownNames ? own : (names.get(target.id) as string);
    return { target, wireName, own, listed: listedAs(entry, { name: wireName }) };
  });
}
