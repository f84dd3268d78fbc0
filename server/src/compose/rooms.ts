import { type Audit, createAudit } from '#audit';
import { type Catalog, createCatalog } from '#catalog';
import type { ConfigFile, Settings } from '#config';
import { type Credentials, createCredentials } from '#credentials';
import { createEgress, type Egress } from '#egress';
import { type Clock, createSealer, type Sealer } from '#foundation';
import { createIdentity, type Identity } from '#identity';
import { createPipeline, type Pipeline } from '#pipeline';
import { createPolicy, type Policy } from '#policy';
import { createSources, type Sources } from '#sources';
import {
  type Changes,
  type Db,
  lockDataDir,
  openChanges,
  openDatabase,
  openRedis,
  type Redis,
} from '#storage';
import type { Log } from '#telemetry';
import { openVault, type Vault } from '#vault';
import { recordConsent } from './consent-records.ts';
import { pinningOf } from './pinning.ts';
import { sourceKinds } from './registries.ts';

/** Every room below the fronts. */
export interface Rooms {
  readonly db: Db;
  readonly redis: Redis | null;
  readonly changes: Changes;
  readonly vault: Vault;
  readonly egress: Egress;
  readonly audit: Audit;
  readonly identity: Identity;
  readonly catalog: Catalog;
  readonly sources: Sources;
  readonly credentials: Credentials;
  readonly pipeline: Pipeline;
  readonly policy: Policy;
  readonly sealer: Sealer;
  readonly durability: 'relaxed' | 'strict';
  /** Everything recorded is kept; every connection is closed. */
  close(): Promise<void>;
}

/** What is kept, and what seals it. */
async function openKept({ dataDir, databaseUrl }: Settings, { clock, log }: { clock: Clock; log: Log }) {
  // The embedded database locks the directory itself; with a PostgreSQL server the journal still lives there.
  const lock = databaseUrl === null ? null : await lockDataDir(dataDir);
  const db = await openDatabase(databaseUrl === null ? { dataDir } : { url: databaseUrl }, { log, clock });
  const changes = await openChanges(db, { clock, log });
  const vault = await openVault({ db, clock });
  return { lock, db, changes, vault };
}

/** Builds the rooms by hand, top to bottom. */
export async function buildRooms(
  settings: Settings,
  config: ConfigFile,
  clock: Clock,
  log: Log,
  issuer: () => string,
): Promise<Rooms> {
  const { dataDir, redisUrl } = settings;
  const { lock, db, changes, vault } = await openKept(settings, { clock, log });
  const redis = redisUrl === null ? null : await openRedis(redisUrl, { clock, log });
  const durability = settings.auditDurability ?? config.auditDurability ?? 'relaxed';
  const audit = await createAudit({ dir: dataDir, db, clock, log, durability });
  const egress = createEgress({ allow: [...settings.egressAllow, ...config.egressAllow] });
  const identity = await createIdentity({ db, changes, egress, clock, log, issuer });
  const catalog = await createCatalog({ db, clock });
  const sealer = createSealer(await vault.serverKey('sealed by the fronts'));
  const policy = await createPolicy({
    db,
    redis,
    egress,
    sealer,
    clock,
    log,
    currentGateway: ({ projectId, id }) => catalog.gateway(projectId, id),
  });
  const credentials = await createCredentials({
    db,
    changes,
    vault,
    egress,
    clock,
    log,
    issuer,
    sourceOf: (projectId, id) => sources.get(projectId, id),
    organizationOf: (id) => identity.people.project(id)?.organizationId ?? null,
    onConsent: (event) => recordConsent(event, audit),
  });
  const sources: Sources = await createSources({
    kinds: sourceKinds,
    processEnv: settings.processEnv,
    listToken: credentials.listToken,
    db,
    egress,
    clock,
    log,
    onListed: (source, offer) =>
      catalog.replaceOffer(source.projectId, source.id, offer, pinningOf(source, { audit, log })),
    onUnavailable: (source) => catalog.markUnavailable(source.projectId, source.id),
    async onRemoved({ projectId, id }) {
      await catalog.forget(projectId, id);
      await credentials.forgetSource(projectId, id);
    },
  });
  const pipeline = createPipeline({ identity, policy, credentials, sources, audit, clock, log });
  // Everybody has loaded what they hold, and listens.
  changes.listen();
  return {
    db,
    redis,
    changes,
    vault,
    egress,
    audit,
    identity,
    catalog,
    sources,
    credentials,
    pipeline,
    sealer,
    policy,
    durability,
    async close() {
      changes.close();
      credentials.close();
      vault.close();
      await sources.close();
      policy.close();
      egress.close();
      await audit.close();
      await redis?.close();
      await db.close();
      lock?.release();
    },
  };
}
