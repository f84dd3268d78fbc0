import type { Catalog } from '#catalog';
import { type DispatchedCall, type Source, silentClient, type Tool } from '#domain';
import { createEgress } from '#egress';
import { createSealer, manualClock } from '#foundation';
import { createPolicy, type Policy } from '#policy';
import { createSources, mcpKind, type NewSource, type Sources } from '#sources';
import { type Changes, type Db, openChanges } from '#storage';
import { silentLog } from '#telemetry';
import { openVault } from '#vault';
import { openCatalog } from './open-catalog.ts';

/** Catalog, policy and sources of one process, beside those of others on the same database. */
export interface RoomsBeside {
  readonly changes: Changes;
  readonly catalog: Catalog;
  readonly policy: Policy;
  readonly sources: Sources;
  readonly clock: ReturnType<typeof manualClock>;
  /** What it was hinted that should be looked at, where it does not look itself. */
  readonly hints: string[];
  /** The slugs of gateways of which clients were told that lists changed. */
  readonly told: string[];
  /** The projects and gateways for which it was said that callers may see something else. */
  readonly regranted: string[];
  close(): Promise<void>;
}

/** It hears of changes when it is told to look. */
export async function openRoomsBeside(
  db: Db,
  { watches = true, pin = null }: { watches?: boolean; pin?: Source['pin'] | null } = {},
): Promise<RoomsBeside> {
  const clock = manualClock();
  const changes = await openChanges(db, { clock, log: silentLog }, true);
  const egress = createEgress({ allow: ['127.0.0.0/8'] });
  const hasSource = (projectId: string, id: string) => sources.get(projectId, id) !== null;
  const catalog = await openCatalog(db, clock, { changes, hasSource });
  const vault = await openVault({ db, clock });
  const policy = await createPolicy({
    db,
    changes,
    vault,
    egress,
    clock,
    log: silentLog,
    redis: null,
    sealer: createSealer(await vault.serverKey('sealed by the fronts')),
    currentGateway: ({ projectId, id }) => catalog.gateway(projectId, id),
  });
  const hints: string[] = [];
  const told: string[] = [];
  const regranted: string[] = [];
  const sources = await createSources({
    kinds: [mcpKind],
    db,
    changes,
    vault,
    egress,
    clock,
    log: silentLog,
    watches,
    onHurry: (projectId, id) => void hints.push(`${projectId}/${id}`),
    onPresence: catalog.sourcesChanged,
    onListed: ({ projectId, id, pin: own }, offer) =>
      catalog.replaceOffer(projectId, id, offer, {
        mode: pin ?? own ?? 'off',
        onChange: () => undefined,
      }),
    onUnavailable: ({ projectId, id }) => catalog.markUnavailable(projectId, id),
    onRemoved: ({ projectId, id }) => catalog.forget(projectId, id),
  });
  sources.begin();
  catalog.onOverruled(sources.sayAgain);
  catalog.onChange((slug) => void told.push(slug));
  policy.onChange((projectId, slug) => void regranted.push(`${projectId}/${slug ?? '*'}`));
  return {
    changes,
    catalog,
    policy,
    sources,
    clock,
    hints,
    told,
    regranted,
    async close() {
      changes.close();
      policy.close();
      await sources.close();
      egress.close();
    },
  };
}

/** Nothing of catalog, sources and policy is kept any more. */
export async function clearShared(db: Db): Promise<void> {
  const tables = ['sources', 'offers', 'tools', 'offer_entries', 'toolkit_owners', 'pins'];
  for (const table of [...tables, 'gateways', 'policy_entries', 'changes'])
    await db.query(`delete from ${table}`);
}

/** An MCP server of the API. */
export function newSource(uri: string, given: Partial<NewSource> = {}): NewSource {
  const plain = { kind: 'mcp', enabled: true, timeoutMs: 10_000, retry: 2, secret: null } as const;
  return { ...plain, uri, id: 'w', projectId: 'default', headers: {}, secrets: {}, ...given };
}

/** A call without a user, and without arguments. */
export function callOf(tool: Tool): DispatchedCall {
  return {
    executionId: 'te_1',
    tool,
    args: {},
    userId: null,
    credential: null,
    client: silentClient,
    task: null,
    meta: null,
    signal: null,
    notify: null,
    large: null,
  };
}
