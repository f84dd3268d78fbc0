import { createHash } from 'node:crypto';
import { packed, type Source, type SourceOffer } from '#domain';
import type { SourcesDeps } from './contract.ts';

/** What was last said of a source to whoever keeps the catalog. */
export type Announced =
  | { readonly kind: 'listed'; readonly offer: SourceOffer; readonly digest: string }
  | { readonly kind: 'unavailable' }
  | null;

/** Tells whoever keeps the catalog what a source offers; only when it differs from what was said last. */
export interface Announcer {
  /** False when the catalog could not take it. */
  listed(offer: SourceOffer): Promise<boolean>;
  unavailable(): Promise<void>;
  last(): Announced;
  /** What it offers is said once more, though it be the same. */
  sayAgain(): void;
  /** Says nothing more; done when what is being said has been heard. */
  close(): Promise<void>;
}

export function createAnnouncer(
  source: Source,
  before: Announced,
  { onListed, onUnavailable, log }: Pick<SourcesDeps, 'onListed' | 'onUnavailable' | 'log'>,
): Announcer {
  let last = before;
  let saying: Promise<void> = Promise.resolve();
  let closed = false;

  async function announce(what: Announced, say: () => Promise<void>): Promise<void> {
    if (closed) return;
    saying = say().then(
      () => {
        last = what;
      },
      (error) => {
        // Said again with the next look, whatever that finds.
        last = null;
        log.error({ source: source.id, err: error }, 'the catalog did not take what a source offers');
      },
    );
    await saying;
  }

  return {
    last: () => last,
    sayAgain() {
      if (last?.kind === 'listed') last = null;
    },
    async listed(offer) {
      const said = last?.kind === 'listed' ? last : null;
      if (said?.offer === offer) return true;
      const digest = digestOf(offer);
      const listed = { kind: 'listed', offer, digest } as const;
      if (said?.digest === digest) last = listed;
      else await announce(listed, () => onListed(source, offer));
      return last === listed;
    },
    async unavailable() {
      if (last?.kind !== 'unavailable') await announce({ kind: 'unavailable' }, () => onUnavailable(source));
    },
    async close() {
      closed = true;
      await saying;
    },
  };
}

function digestOf({ tools, seen: _, ...others }: SourceOffer): string {
  const hash = createHash('sha256').update(JSON.stringify(others));
  for (const { toolkit, name, digest } of packed(tools))
    hash.update(`\n${JSON.stringify([toolkit.name, toolkit.version, name])}${digest}`);
  return hash.digest('base64');
}
