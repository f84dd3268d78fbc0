import { type Clock, isMembers, type Sealer } from '#foundation';

/** Where somebody goes on once they are signed in, and what they sign in for. */
export interface Way {
  /** A path of ours. */
  readonly goOnAt: string;
  /** Whoever is signed in at the issuer already is not taken for who they are. */
  readonly asSomebodyElse?: boolean;
  /** `own`: to see their own sessions; `api`: as a member; else a gateway. */
  readonly into:
    | { readonly kind: 'own' | 'api' }
    | { readonly kind: 'gateway'; readonly projectId: string; readonly gatewayId: string };
}

export const ownSessions: Way = { goOnAt: '/oauth2/sessions', into: { kind: 'own' } };

/** Ways as text that nobody else can write: so no page of ours can be made to send anybody elsewhere. */
export interface Onward {
  seal(way: Way): string;
  /** `null` for anything that we did not write, or long ago. */
  open(text: string): Way | null;
}

const lastsMs = 60 * 60_000;

export function createOnward(sealer: Sealer, clock: Clock): Onward {
  return {
    seal: (way) => sealer.seal('sign-in way', { way, until: clock.now() + lastsMs }, ''),
    open(text) {
      const opened = sealer.open('sign-in way', text, '');
      if (!isMembers(opened) || typeof opened.until !== 'number' || opened.until <= clock.now()) return null;
      return opened.way as Way;
    },
  };
}
