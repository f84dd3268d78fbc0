import type { FetchLike } from '@modelcontextprotocol/client';
import type { Source } from '#domain';
import type { Egress } from '#egress';
import { tracedFetch } from '../traced-fetch.ts';

/** How the authorization server of a source, and what describes it, are reached. */
export type FetchFor = (source: Source) => FetchLike;

const limits = { timeoutMs: 5_000, maxBytes: 256 * 1024 };

/**
 * A source may name any address, and be taken over: only its own origin is trusted as the source itself is. Everything else must
 * be public, or on the allow-list.
 */
export function createFetchFor(egress: Egress): FetchFor {
  const trusted = tracedFetch(egress, 'file', limits);
  const checked = tracedFetch(egress, 'api', limits);
  return ({ uri, origin, kept }) => {
    const { authorization_url: named } = (kept?.oauth2 ?? {}) as { authorization_url?: string };
    const own = [uri, named].map((one) => (one === undefined ? null : (URL.parse(one)?.origin ?? null)));
    return (url, init) => {
      const isOwn = origin === 'file' && own.includes(new URL(url).origin);
      return (isOwn ? trusted : checked)(url, init);
    };
  };
}
