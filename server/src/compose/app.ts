import type { Catalog } from '#catalog';
import {
  type ConfigFile,
  emptyConfig,
  formatMistake,
  loadConfigFile,
  type Settings,
  watchConfigFile,
} from '#config';
import { newGatewayFromRequest, type Source } from '#domain';
import { createEgress } from '#egress';
import { atMost, type Clock, Fault, systemClock } from '#foundation';
import { createTelemetry, type Log, type MetricSnapshot, watchProcess } from '#telemetry';
import {
  countAnswers,
  createConnect,
  createCoordinator,
  createGatewayPage,
  createMcpEndpoint,
  createOAuth,
  createOriginPolicy,
  createRestApi,
  createScimFront,
  createSessions,
  createSignIn,
  createStreams,
  createTaskIds,
  type InstallationFacts,
  listen,
  type TellProcesses,
} from '#wire';
import { type Address, createAddress } from './address.ts';
import { actingSince, actNowhere, applyDeclared, furtherChecks, projectId } from './declared.ts';
import { type DemoWorker, startDemoWorker } from './demo.ts';
import { onGrantsChanged } from './grant-changes.ts';
import { drainAllLeft } from './left-journals.ts';
import type { Processes, ProcessesDeps } from './office.ts';
import { projectIds } from './project-ids.ts';
import { checkReadiness, gatherAll } from './readiness.ts';
import { buildRooms, type Rooms } from './rooms.ts';
import { gatherOpen, gatherSessions, gatherSources, gatherState } from './state-metrics.ts';
import { watchTraffic } from './traffic.ts';

/** How long calls under way may take to finish once we are told to stop. */
const graceMs = 30_000;
/** Sources are looked at when search knows what they offered; so late at the latest. */
const indexedWithinMs = 5000;

export interface AppDeps {
  readonly settings: Settings;
  /** The environment, for the config file's references to it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly version: string;
  readonly clock?: Clock;
  /** How many further processes serve the port; none unless told. */
  readonly lanes?: number;
  /** A line of the log of one of these. */
  readonly onLaneSaid?: (line: string) => void;
}

export interface App {
  /** Where clients reach it. */
  readonly url: string;
  /** The first admin key, where this start made one. */
  readonly newAdminKey: string | null;
  /** Whether the admin key is in the environment, where a person can look it up. */
  readonly keyInEnvironment: boolean;
  /** The slug of the demo gateway, where there is one. */
  readonly demoGateway: string | null;
  readonly rooms: Rooms;
  /** Done when every process serves that shall. */
  complete(): Promise<void>;
  close(): Promise<void>;
}

/** The whole process on one page. Throws a Fault that a person can act upon. */
export async function createApp({
  settings,
  env,
  version,
  clock = systemClock,
  lanes = 0,
  onLaneSaid = () => {},
  ...given
}: AppDeps): Promise<App> {
  const config = await firstConfig(settings, env);
  // Lanes serve gateways and nothing else.
  const further = settings.roles.has('gateway') ? lanes : 0;
  const { dataDir } = settings;
  const processes = await processesOf(further, { ...given, onLaneSaid, dataDir, env, version, clock });
  const telemetry = await createTelemetry({
    log: given.log,
    logLevel: settings.logLevel,
    clock,
    version,
    otlp: settings.otel,
    egress: () => createEgress({ allow: settings.egressAllow, clock }),
    gather: processes?.metrics,
  });
  const { log } = telemetry;
  // The demo worker starts while the database opens.
  const starting = settings.demo && settings.configPath === null ? startDemoWorker(log) : null;
  starting?.catch(() => {});
  const address = createAddress(settings);
  let rooms: Rooms;
  try {
    rooms = await buildRooms(settings, config, clock, telemetry, address.origin, env, processes?.among);
  } catch (error) {
    await starting?.then((demo) => demo.stop());
    await telemetry.close();
    throw error;
  }
  gatherState(rooms);
  gatherSources(rooms);
  const stopWatching = watchProcess(rooms.telemetry.metrics, clock, version);
  const keyInEnvironment = settings.adminKey !== null;
  if (keyInEnvironment) await rooms.identity.ensureAdminKey(settings.adminKey);
  const demo = await startedDemo(starting, log);
  const declare: Declare = (config, demo) => {
    const apply = () => applyDeclared(config, demo, rooms);
    return processes === null ? apply() : processes.declare({ config, demo }, apply);
  };
  await declare(config, demo?.source() ?? null);
  demo?.onMoved(() => {
    declare(config, demo.source()).catch((error) =>
      log.error({ err: error }, 'the demo worker moved, and its new address was not taken'),
    );
  });
  for (const project of projectIds(rooms.identity.people)) {
    const ids = rooms.sources.list(project).map(({ id }) => id);
    await rooms.catalog.keepSources(project, ids);
  }
  // The demo's tools are there when it says that it is ready.
  if (demo !== null) await rooms.sources.refresh(projectId, demo.source().id);
  const demoGateway = demo === null ? null : await ensureDemoGateway(rooms.catalog);
  const watched = await watchConfig(settings, config, env, { rooms, log, declare });
  const fronts = await openFronts(settings, rooms, {
    clock,
    log,
    version,
    address,
    configMistakes: watched.mistakes,
    metrics: () => processes?.metrics(telemetry.metrics.read) ?? telemetry.metrics.read(),
    processes: () => processes?.counted() ?? { wanted: 1, serving: 1 },
    tell: async (news) => processes?.tell(news),
  });
  // Only once nothing can fail any more: a key is shown once, so a start that failed must not have made it.
  const newAdminKey = keyInEnvironment ? null : await rooms.identity.ensureAdminKey(null);
  await drainAllLeft({ ...rooms, dataDir: settings.dataDir, clock, log });
  await rooms.hub?.begin();
  await processes?.open(fronts.server, { ...rooms, ...fronts, origin: address.origin() });
  // What they offered is served: to hear whether they still do takes longer than all of the start.
  const { hub, sources } = rooms;
  void atMost(clock, indexedWithinMs, hub?.indexed() ?? Promise.resolve()).then(sources.begin);
  return {
    url: address.origin(),
    newAdminKey,
    keyInEnvironment,
    demoGateway,
    rooms,
    complete: async () => processes?.complete(),
    async close() {
      watched.close();
      // What lanes still have under way may need this process to the end.
      await Promise.all([processes?.stop(graceMs), fronts.close(), rooms.hub?.drain(graceMs)]);
      await demo?.stop();
      stopWatching();
      await rooms.close();
    },
  };
}

/** Nothing of it is loaded where this is the only process. */
async function processesOf(lanes: number, deps: Omit<ProcessesDeps, 'lanes'>): Promise<Processes | null> {
  if (lanes === 0) return null;
  const { createProcesses } = await import('./office.ts');
  return createProcesses({ ...deps, lanes });
}

/** Makes what is declared exactly this. */
type Declare = (config: ConfigFile, demo: Source | null) => Promise<void>;

async function firstConfig(settings: Settings, env: AppDeps['env']): Promise<ConfigFile> {
  if (settings.configPath === null) return emptyConfig;
  const loaded = await loadConfigFile(settings.configPath, env, furtherChecks);
  if (loaded.ok) return loaded.value;
  const count = loaded.error.length === 1 ? 'a mistake' : `${loaded.error.length} mistakes`;
  const lines = loaded.error.map((mistake) => `  ${formatMistake(mistake)}`);
  throw new Fault(`the config file has ${count}:\n${lines.join('\n')}`);
}

async function startedDemo(starting: Promise<DemoWorker> | null, log: Log): Promise<DemoWorker | null> {
  try {
    return (await starting) ?? null;
  } catch (error) {
    log.error({ err: error }, 'the demo worker could not be started');
    return null;
  }
}

/** Makes the gateway `demo` where there is no gateway at all yet; it is an ordinary one, to be changed or deleted. */
async function ensureDemoGateway(catalog: Catalog): Promise<string | null> {
  if (catalog.gateways(projectId).length === 0) {
    const asked = newGatewayFromRequest(
      {
        name: 'Demo',
        slug: 'demo',
        description: 'The tools of the bundled reference server',
        // People sign in; programs send an API key.
        auth_types: ['arcade_header', 'arcade'],
        tool_filter: { allowed_tools: ['ArcadeEvalRef.*'] },
      },
      { projectId },
    );
    await catalog.createGateway(asked);
  }
  return catalog.gateways(projectId).some(({ slug }) => slug === 'demo') ? 'demo' : null;
}

/**
 * Applies the file again whenever it changes; a file with mistakes changes nothing. `/readyz` tells them, and what of the file
 * acts nowhere, or only after a restart.
 */
async function watchConfig(
  settings: Settings,
  first: ConfigFile,
  env: AppDeps['env'],
  { rooms, log, declare }: { readonly rooms: Rooms; readonly log: Log; readonly declare: Declare },
) {
  const path = settings.configPath;
  let acting = first;
  let mistakes: readonly string[] = [];
  let later: readonly string[] = [];
  const watch =
    path === null
      ? null
      : watchConfigFile(path, () => reload(path), {
          onError: (error) => log.error({ err: error }, 'changes of the config file may go unseen'),
        });
  await watch?.ready;
  // What changed between the first reading and now would go unseen.
  if (path !== null) await reload(path);

  async function reload(file: string): Promise<void> {
    const loaded = await loadConfigFile(file, env, furtherChecks);
    mistakes = loaded.ok ? [] : loaded.error.map(formatMistake);
    if (!loaded.ok) {
      log.error({ mistakes }, 'the config file has mistakes; what it said before goes on acting');
      return;
    }
    ({ acting, later } = actingSince(first, loaded.value));
    await declare(acting, null);
    const warnings = actNowhere(acting, rooms);
    if (warnings.length > 0) log.warn({ warnings }, 'some of the config file acts nowhere');
    if (later.length > 0) log.warn({ fields: later }, 'some of the config file acts after a restart only');
    const { workers, gateways, grants, rules, limits, plugins, hooks, secrets } = acting;
    const policies = { grants, rules, limits, plugins, hooks };
    const accounts = { user_sources: acting.userSources, auth_providers: acting.authProviders };
    const counts = Object.entries({ workers, gateways, ...policies, ...accounts, secrets });
    log.info(
      Object.fromEntries(counts.map(([section, { length }]) => [section, length])),
      'the config file was applied',
    );
  }

  return {
    mistakes: () => [...mistakes, ...actNowhere(acting, rooms), ...later],
    close: () => watch?.close(),
  };
}

interface FrontDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly address: Address;
  readonly configMistakes: () => readonly string[];
  readonly metrics: () => Promise<readonly MetricSnapshot[]>;
  readonly processes: () => InstallationFacts['processes'];
  /** What the other processes have to know of sessions. */
  readonly tell: TellProcesses;
}

async function openFronts(
  settings: Settings,
  rooms: Rooms,
  { configMistakes, metrics, processes, address, ...deps }: FrontDeps,
) {
  const stopping = new AbortController();
  const sessions = createSessions({ ...rooms, ...deps });
  const streams = createStreams(deps.clock);
  gatherOpen(rooms.telemetry, streams);
  gatherSessions(rooms.telemetry, sessions);
  const tasks = createTaskIds(rooms.sealer, deps.clock);
  const stopTelling = rooms.catalog.onChange(streams.listsChanged);
  onGrantsChanged(rooms, streams.listsChanged);
  const origins = createOriginPolicy({ bindHost: settings.host, publicUrl: settings.publicUrl });
  const page = createGatewayPage({ ...rooms, issuer: address.origin });
  const mcp = createMcpEndpoint(
    { ...rooms, ...deps, sessions, streams, tasks, page, issuer: address.origin },
    origins,
  );
  const isStopping = () => stopping.signal.aborted;
  const startedAtMs = deps.clock.now();
  const parts = { ...rooms, configMistakes, processes, stopping: isStopping, startedAtMs };
  const readiness = () => checkReadiness(parts);
  const traffic = watchTraffic(metrics, deps.clock);
  const unready = async () => (await readiness()).missing;
  const rest = createRestApi({
    ...rooms,
    ...deps,
    unready,
    status: { installation: () => gatherAll(parts, metrics), traffic: traffic.of },
    stopping: stopping.signal,
    publicUrl: settings.publicUrl,
    issuer: address.origin,
  });
  const oauth = createOAuth({ ...rooms, ...deps, issuer: address.origin });
  const server = await listen(settings.host, settings.port, {
    mcp: settings.roles.has('gateway') ? mcp : null,
    rest: settings.roles.has('admin') ? rest : null,
    readiness,
    metrics: { read: metrics, token: settings.metricsToken },
    answered: countAnswers(rooms.telemetry.metrics),
    more: [
      ...oauth.fronts,
      ...createSignIn({ ...rooms, ...deps, ...oauth, issuer: address.origin }),
      createConnect({ ...rooms, ...deps, issuer: address.origin }),
      createCoordinator({ ...rooms, ...deps, issuer: address.origin }),
      ...(settings.roles.has('admin')
        ? [createScimFront({ ...rooms, ...deps, issuer: address.origin })]
        : []),
    ],
    version: deps.version,
    origins,
  });
  address.listensAt(server.url);
  return {
    server,
    sessions,
    async close() {
      stopping.abort();
      stopTelling();
      traffic.stop();
      streams.close();
      sessions.stopAsking();
      await server.close(graceMs);
      sessions.close();
    },
  };
}
