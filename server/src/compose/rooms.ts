import { join } from 'node:path';
import { type Audit, createAudit } from '#audit';
import { type Catalog, createCatalog } from '#catalog';
import type { ConfigFile, Settings } from '#config';
import { type Credentials, createCredentials, demandsAssertion } from '#credentials';
import { createEgress, type Egress } from '#egress';
import { type Clock, createSealer, type Sealer } from '#foundation';
import { openKeptIndexes } from '#hub';
import { createIdentity, type Identity } from '#identity';
import { createPipeline, type Pipeline } from '#pipeline';
import { createPolicy, type Policy } from '#policy';
import type { Sources } from '#sources';
import {
  type Changes,
  type Db,
  type DirectoryLock,
  lockDataDir,
  openChanges,
  openDatabase,
  openRedis,
  type Redis,
} from '#storage';
import type { Log, Metrics, Telemetry, Tracer } from '#telemetry';
import { givenRootKeys, openVault, type Vault } from '#vault';
import { type Among, alone } from './among.ts';
import { recordConsent } from './consent-records.ts';
import { countCalls } from './count-calls.ts';
import { logDecisions } from './log-decisions.ts';
import { type AuditObserver, observedAudit } from './observed-audit.ts';
import { observedDb } from './observed-db.ts';
import { type OpenHub, openHub } from './open-hub.ts';
import { openSources } from './open-sources.ts';

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
  /** `null`: this process has no part in it. */
  readonly hub: OpenHub | null;
  readonly telemetry: Telemetry;
  readonly tracer: Tracer;
  readonly policy: Policy;
  readonly sealer: Sealer;
  readonly durability: 'relaxed' | 'strict';
  /** Everything recorded is kept; every connection is closed. */
  close(): Promise<void>;
}

/** What is kept, and what seals it. */
async function openKept(
  { dataDir, databaseUrl, rootKey }: Settings,
  { clock, log, metrics, egress, env, config }: KeptDeps,
  among: Among,
) {
  // The embedded database locks the directory itself; with a PostgreSQL server the journal still lives there.
  const lock = databaseUrl === null || !among.isOffice ? null : await lockDataDir(dataDir);
  const at = databaseUrl === null ? { dataDir } : { url: databaseUrl };
  const opened = among.heldDb ?? (await openDatabase(at, { log, clock }));
  const db = among.db(observedDb(opened, metrics, clock));
  try {
    const isShared = among.sharesDb || db.kind === 'postgres';
    const changes = among.changes(await openChanges(db, { clock, log }, isShared));
    const given = givenRootKeys({ declared: config.rootKeys, environment: rootKey, env, egress, clock });
    const vault = await openVault({ db, changes, clock, log, given, dataDir });
    return { lock, db, changes, vault };
  } catch (error) {
    // Without the root key nothing starts, and nothing is left open.
    egress.close();
    await db.close();
    lock?.release();
    throw error;
  }
}

interface KeptDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly egress: Egress;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly config: ConfigFile;
}

/** Who counts and tells what the audit records. */
function observersOf({ logLevel }: Settings, { metrics, log }: Telemetry, catalog: Catalog): AuditObserver[] {
  const isGateway = (slug: string) => !catalog.slugAvailable(slug);
  const counts = countCalls(metrics, isGateway);
  const tells = logLevel === 'debug' || logLevel === 'info';
  return tells ? [counts, logDecisions(log, isGateway)] : [counts];
}

/** Builds the rooms by hand, top to bottom. */
export async function buildRooms(
  settings: Settings,
  config: ConfigFile,
  clock: Clock,
  telemetry: Telemetry,
  issuer: () => string,
  env: Readonly<Record<string, string | undefined>>,
  among: Among = alone,
): Promise<Rooms> {
  const { redisUrl } = settings;
  const { log, metrics, tracer } = telemetry;
  const egress = createEgress({ allow: [...settings.egressAllow, ...config.egressAllow] });
  // Read in a thread of its own while the database opens, and the catalog is read.
  const searches = settings.roles.has('hub') && among.isOffice;
  const indexes = searches ? await openKeptIndexes(join(settings.dataDir, 'hub'), log) : null;
  const keptDeps = { clock, log, metrics, egress, env, config };
  const { lock, db, changes, vault } = await openKept(settings, keptDeps, among).catch(async (error) => {
    await indexes?.close();
    throw error;
  });
  const redis = redisUrl === null ? null : await openRedis(redisUrl, { clock, log });
  const durability = settings.auditDurability ?? config.auditDurability ?? 'relaxed';
  const journal = await createAudit({ dir: among.auditDir(settings), db, clock, log, durability });
  const ground = { db, changes, vault, egress, clock, log, metrics, issuer };
  const identity = await createIdentity({
    ...ground,
    exchangesTokens: (projectId) =>
      credentials.exchangesTokens(projectId) || sources.list(projectId).some(demandsAssertion),
  });
  const catalog = await createCatalog({
    ...ground,
    hasSource: (projectId, id) => sources.get(projectId, id) !== null,
    snapshot: { dataDir: settings.dataDir, writes: among.isOffice },
    onlyShown: !among.isOffice,
  });
  const audit = among.audit(observedAudit(journal, observersOf(settings, telemetry, catalog)));
  const sealer = createSealer(await vault.serverKey('sealed by the fronts'));
  const policy = await createPolicy({
    ...ground,
    redis,
    sealer,
    currentGateway: ({ projectId, id }) => catalog.gateway(projectId, id),
  });
  const credentials = await createCredentials({
    ...ground,
    sourceOf: (projectId, id) => sources.get(projectId, id),
    organizationOf: (id) => identity.people.project(id)?.organizationId ?? null,
    subjects: identity.subjects,
    onConsent: (event) => recordConsent(event, audit),
  });
  const sources: Sources = await openSources(settings, {
    ...ground,
    audit,
    catalog,
    credentials,
    among,
  });
  const pipeline = createPipeline({
    identity,
    policy,
    credentials,
    sources: among.sources(sources),
    audit,
    clock,
    log,
    metrics,
  });
  const below = {
    ...{ db, redis, changes, vault, egress, audit, identity, catalog, sources, credentials, pipeline },
    ...{ telemetry, tracer, sealer, policy, durability },
  };
  const hub = await openHub(settings, config.hub, indexes, { ...below, clock, log, metrics });
  // Everybody has loaded what they hold, and listens.
  changes.listen();
  if (among.isOffice) vault.keepUp();
  const rooms = { ...below, hub };
  return { ...rooms, close: () => closeRooms(rooms, lock) };
}

async function closeRooms(rooms: Omit<Rooms, 'close'>, lock: DirectoryLock | null): Promise<void> {
  rooms.changes.close();
  await rooms.hub?.close();
  rooms.credentials.close();
  await rooms.vault.close();
  await rooms.sources.close();
  await rooms.catalog.close();
  rooms.policy.close();
  rooms.egress.close();
  await rooms.audit.close();
  await rooms.redis?.close();
  await rooms.db.close();
  lock?.release();
  await rooms.telemetry.close();
}
