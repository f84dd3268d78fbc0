import { createAudit } from '#audit';
import { type Catalog, createCatalog } from '#catalog';
import {
  type ConfigFile,
  emptyConfig,
  formatMistake,
  loadConfigFile,
  type Settings,
  watchConfigFile,
} from '#config';
import { createCredentials } from '#credentials';
import { type Gateway, newGatewayFromRequest, newSourceFromRequest, type Source } from '#domain';
import { createEgress } from '#egress';
import { type Clock, Fault, messageOf, systemClock } from '#foundation';
import { createIdentity } from '#identity';
import { createPipeline } from '#pipeline';
import { createPolicy } from '#policy';
import { createSources, type Sources } from '#sources';
import { lockDataDir, openDatabase } from '#storage';
import type { Log } from '#telemetry';
import {
  createMcpEndpoint,
  createOriginPolicy,
  createRestApi,
  createSessions,
  createStreams,
  listen,
} from '#wire';
import { type DemoWorker, startDemoWorker } from './demo.ts';
import { checkReadiness } from './readiness.ts';
import { sourceKinds } from './registries.ts';

/** How long calls under way may take to finish once we are told to stop. */
const graceMs = 30_000;
const projectId = 'default';
/** What the config file declares has no date of its own. */
const undated = '1970-01-01T00:00:00.000Z';

export interface AppDeps {
  readonly settings: Settings;
  /** The environment, for the config file's references to it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly version: string;
  readonly clock?: Clock;
}

export interface App {
  /** Where it listens. */
  readonly url: string;
  /** The first admin key, where this start made one. */
  readonly newAdminKey: string | null;
  /** The slug of the demo gateway, where there is one. */
  readonly demoGateway: string | null;
  readonly catalog: Catalog;
  readonly sources: Sources;
  close(): Promise<void>;
}

/** Builds every room, top to bottom, joins them and listens. Throws a Fault that a person can act upon. */
export async function createApp({ settings, env, log, version, clock = systemClock }: AppDeps): Promise<App> {
  let stopping = false;
  let mistakes: readonly string[] = [];
  const config = await firstConfig(settings, env);
  const wantsDemo = settings.demo && settings.configPath === null;
  // Starts while the database opens.
  const demoStarting = wantsDemo ? startDemoWorker(log, () => void applyConfig(config)) : null;
  demoStarting?.catch(() => {});

  const lock = settings.databaseUrl === null ? null : await lockDataDir(settings.dataDir);
  const db = await openDatabase(
    settings.databaseUrl === null ? { dataDir: settings.dataDir } : { url: settings.databaseUrl },
    { log, clock },
  );
  const durability = settings.auditDurability ?? config.auditDurability ?? 'relaxed';
  const audit = await createAudit({ dir: settings.dataDir, db, clock, log, durability });
  const identity = await createIdentity({ db, clock, log });
  const newAdminKey = await identity.ensureAdminKey(settings.adminKey);
  const egress = createEgress({ allow: [...settings.egressAllow, ...config.egressAllow] });
  const catalog = await createCatalog({ db, clock });
  const sources = await createSources({
    kinds: sourceKinds,
    db,
    egress,
    clock,
    log,
    onListed: (source, listings) => catalog.replaceListing(source.projectId, source.id, listings),
    onUnavailable: (source) => catalog.markUnavailable(source.projectId, source.id),
    onRemoved: (source) => catalog.forget(source.projectId, source.id),
  });
  const pipeline = createPipeline({
    identity,
    policy: createPolicy(),
    credentials: createCredentials(),
    sources,
    audit,
    clock,
    log,
  });

  let demo: DemoWorker | null = null;
  if (demoStarting !== null) {
    demo = await demoStarting.catch((error: unknown) => {
      log.error({ err: error }, 'the demo worker could not be started');
      return null;
    });
  }
  await applyConfig(config);
  await catalog.keepSources(
    projectId,
    sources.list(projectId).map(({ id }) => id),
  );
  const demoGateway = demo === null ? null : await ensureDemoGateway(catalog);
  const watch = settings.configPath === null ? null : watchConfigFile(settings.configPath, reload);

  const sessions = createSessions(clock);
  const streams = createStreams(clock);
  const stopTelling = catalog.onChange((slug) => streams.toolsChanged(slug));
  const origins = createOriginPolicy({ bindHost: settings.host, publicUrl: settings.publicUrl });
  const mcp = createMcpEndpoint(
    { pipeline, catalog, audit, clock, log, sessions, streams, version },
    origins,
  );
  const rest = createRestApi({
    pipeline,
    catalog,
    sources,
    identity,
    audit,
    db,
    clock,
    log,
    version,
    publicUrl: settings.publicUrl,
  });
  const server = await listen(settings.host, settings.port, {
    mcp: settings.roles.has('gateway') ? mcp : null,
    rest: settings.roles.has('admin') ? rest : null,
    readiness: () =>
      checkReadiness({
        db,
        audit,
        sources,
        durability,
        configMistakes: () => mistakes,
        stopping: () => stopping,
      }),
    version,
  });

  /** Makes the file's resources exactly these. Whatever else changed in the file takes a restart. */
  async function applyConfig(file: ConfigFile): Promise<void> {
    const declared = file.workers.map(
      ({ request }): Source => ({
        ...newSourceFromRequest(request, { projectId }),
        origin: 'file',
        createdAt: undated,
        updatedAt: undated,
      }),
    );
    await sources.applyFile(demo === null ? declared : [...declared, demo.source()]);
    catalog.applyFile(
      file.gateways.map(
        ({ id, request }): Gateway => ({
          ...newGatewayFromRequest(request, { projectId }),
          id,
          origin: 'file',
          createdAt: undated,
          updatedAt: undated,
        }),
      ),
    );
  }

  async function reload(): Promise<void> {
    const loaded = await loadConfigFile(settings.configPath as string, env);
    if (!loaded.ok) {
      mistakes = loaded.error.map(formatMistake);
      return log.error({ mistakes }, 'the config file has mistakes; what it said before goes on acting');
    }
    mistakes = [];
    await applyConfig(loaded.value);
    log.info(
      { workers: loaded.value.workers.length, gateways: loaded.value.gateways.length },
      'the config file was applied',
    );
  }

  return {
    url: settings.publicUrl ?? server.url,
    newAdminKey,
    demoGateway,
    catalog,
    sources,
    async close() {
      stopping = true;
      watch?.close();
      stopTelling();
      streams.close();
      await server.close(graceMs);
      sessions.close();
      sources.close();
      egress.close();
      await demo?.stop();
      await audit.close();
      await db.close();
      lock?.release();
    },
  };
}

async function firstConfig(settings: Settings, env: AppDeps['env']): Promise<ConfigFile> {
  if (settings.configPath === null) return emptyConfig;
  const loaded = await loadConfigFile(settings.configPath, env);
  if (loaded.ok) return loaded.value;
  const count = loaded.error.length === 1 ? 'a mistake' : `${loaded.error.length} mistakes`;
  throw new Fault(
    `the config file has ${count}:\n${loaded.error.map((mistake) => `  ${formatMistake(mistake)}`).join('\n')}`,
  );
}

/** Makes the gateway `demo` where there is no gateway at all yet; it is an ordinary one, to be changed or deleted. */
async function ensureDemoGateway(catalog: Catalog): Promise<string | null> {
  if (catalog.gateways(projectId).length === 0) {
    const asked = newGatewayFromRequest(
      {
        name: 'Demo',
        slug: 'demo',
        description: 'The tools of the bundled reference server',
        tool_filter: { allowed_tools: ['ArcadeEvalRef.*'] },
      },
      { projectId },
    );
    const created = await catalog.createGateway(asked);
    if (!created.ok)
      throw new Fault(`the demo gateway could not be made: ${messageOf(created.error.message)}`);
  }
  return catalog.gateways(projectId).some(({ slug }) => slug === 'demo') ? 'demo' : null;
}
