import type { Clock } from '#foundation';
import type { Searched } from './contract.ts';
import { learnable } from './plain-text.ts';

/** Tools further down are hardly seen. */
const farDown = 5;
const maxHits = 25;
const maxAlike = 8;
const sweepEveryMs = 30_000;

export interface RecentLimits {
  /** How long what somebody does is put down to what they searched for. */
  readonly keptMs: number;
  readonly perBearer: number;
  readonly overall: number;
  readonly bytes: number;
}

const usualLimits: RecentLimits = {
  keptMs: 10 * 60_000,
  perBearer: 16,
  overall: 20_000,
  bytes: 16 * 1024 * 1024,
};

/** What a search and what was done after it say of a tool. */
export interface Evidence {
  readonly projectId: string;
  readonly bearer: string;
  readonly toolId: string;
  readonly query: string;
  /** `led`: the query found the tool that was used; `missed`: it did not, or far down. */
  readonly outcome: 'led' | 'missed';
}

interface Recent {
  readonly bearer: string;
  readonly projectId: string;
  /** `null`: it may not be kept, and only tells what was found by it. */
  readonly query: string | null;
  /** Where each tool stood. */
  readonly ranks: ReadonlyMap<string, number>;
  readonly until: number;
  /** Searched for together. */
  readonly batch: object;
  readonly isAlone: boolean;
  /** Tools that were used after it, of those that it found. */
  readonly used: Set<string>;
  /** Tools that were used though nothing had found them. */
  readonly named: Set<string>;
  readonly bytes: number;
}

/**
 * What each bearer searched for lately, bounded in number, bytes and time. A query is put down to a tool only when its time is
 * over, and that tool was the only one of those it found that was used with success.
 */
export function createRecentSearches(
  clock: Clock,
  onOver: (evidence: Evidence) => void,
  { keptMs, perBearer, overall, bytes: maxBytes }: RecentLimits = usualLimits,
) {
  /** The oldest first, as their time is over. */
  const all = new Set<Recent>();
  const byBearer = new Map<string, Recent[]>();
  let bytes = 0;

  function end(recent: Recent): void {
    if (!all.delete(recent)) return;
    bytes -= recent.bytes;
    const left = (byBearer.get(recent.bearer) ?? []).filter((other) => other !== recent);
    if (left.length > 0) byBearer.set(recent.bearer, left);
    else byBearer.delete(recent.bearer);
    for (const evidence of evidenceOf(recent)) onOver(evidence);
  }

  function sweep(): void {
    for (const recent of all) {
      if (recent.until > clock.now()) return;
      end(recent);
    }
  }

  function bound(bearer: string): void {
    const own = byBearer.get(bearer) ?? [];
    for (const recent of own.slice(0, Math.max(0, own.length - perBearer))) end(recent);
    for (const recent of all) {
      if (all.size <= overall && bytes <= maxBytes) return;
      end(recent);
    }
  }

  /** The search that led to the tool: of the latest that found it, the one that has it furthest up. */
  function leading(bearer: string, toolId: string): Recent | null {
    let best: Recent | null = null;
    for (const recent of (byBearer.get(bearer) ?? []).toReversed()) {
      if (recent.until <= clock.now() || (best !== null && recent.batch !== best.batch)) break;
      const rank = recent.ranks.get(toolId);
      if (rank !== undefined && (best === null || rank <= (best.ranks.get(toolId) ?? 0))) best = recent;
    }
    return best;
  }

  const stop = clock.every(sweepEveryMs, sweep);
  return {
    remember(bearer: string, projectId: string, searches: readonly Searched[]): void {
      sweep();
      const batch = {};
      for (const { query: asked, hits } of searches) {
        const query = learnable(asked);
        const ranks = ranksOf(hits);
        const recent: Recent = {
          ...{ bearer, projectId, query, ranks, batch, isAlone: searches.length === 1 },
          ...{ until: clock.now() + keptMs, used: new Set(), named: new Set() },
          bytes: 512 + 2 * (bearer.length + (query?.length ?? 0)) + 96 * ranks.size,
        };
        all.add(recent);
        bytes += recent.bytes;
        byBearer.set(bearer, [...(byBearer.get(bearer) ?? []), recent]);
      }
      bound(bearer);
    },

    queryFor: (bearer: string, toolId: string): string | null => leading(bearer, toolId)?.query ?? null,

    used(bearer: string, toolId: string): void {
      const led = leading(bearer, toolId);
      if (led !== null) {
        led.used.add(toolId);
        return;
      }
      const last = byBearer.get(bearer)?.at(-1);
      // Of more than one none is told, however many more there are.
      if (last !== undefined && last.until > clock.now() && last.named.size < 2) last.named.add(toolId);
    },

    /** What was remembered tells nothing. */
    forget(): void {
      all.clear();
      byBearer.clear();
      bytes = 0;
    },

    /** Nothing more is waited for. */
    close(): void {
      stop();
      for (const recent of all) end(recent);
    },

    size: () => ({ searches: all.size, bearers: byBearer.size, bytes }),
  };
}

function ranksOf(hits: Searched['hits']): ReadonlyMap<string, number> {
  const ranks = new Map<string, number>();
  for (const [rank, { id, alike }] of hits.slice(0, maxHits).entries())
    for (const one of [id, ...alike.slice(0, maxAlike)]) if (!ranks.has(one)) ranks.set(one, rank);
  return ranks;
}

function evidenceOf({ bearer, projectId, query, ranks, isAlone, used, named }: Recent): Evidence[] {
  if (query === null) return [];
  const [toolId] = used;
  if (toolId !== undefined) {
    if (used.size > 1) return [];
    const led: Evidence = { projectId, bearer, toolId, query, outcome: 'led' };
    return (ranks.get(toolId) ?? 0) < farDown ? [led] : [led, { ...led, outcome: 'missed' }];
  }
  const [missed] = named;
  if (missed === undefined || named.size > 1 || !isAlone) return [];
  return [{ projectId, bearer, toolId: missed, query, outcome: 'missed' }];
}
