import type { Settings } from '#config';
import { createEgress } from '#egress';
import { type Clock, messageOf, systemClock } from '#foundation';
import type { LaneLink } from '#processes';
import { createTelemetry, type Log, type ToldMetrics, watchProcess } from '#telemetry';
import {
  countAnswers,
  createGatewayPage,
  createLaneEndpoint,
  createLaneFront,
  createOriginPolicy,
  createSessions,
  createStreams,
  createTaskIds,
  type SessionNews,
  type Sessions,
} from '#wire';
import { alone, laneDir } from './among.ts';
import { applyDeclared } from './declared.ts';
import type { DeclaredNow, LaneStart, SessionsUsed } from './office.ts';
import { buildRooms, type Rooms } from './rooms.ts';
import { gatherOpen, gatherState } from './state-metrics.ts';
import { whileFresh } from './while-fresh.ts';

interface LaneDeps {
  readonly settings: Settings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

/** How long calls under way may take to finish once the office says that this ends. */
const graceMs = 30_000;

/** A lane from its start to its end: the rooms of the office on the same database, and a front that serves what surely needs nothing else. */
export async function runLane(link: LaneLink, start: LaneStart, deps: LaneDeps): Promise<void> {
  const rooms = await openRooms(link, start, deps);
  const { audit, changes, telemetry } = rooms;
  const stopped = Promise.withResolvers<void>();
  const declared = createDeclaring(start.declared, rooms);
  await declared.take(null);
  const front = openFront(link, start, deps, rooms);
  link.loaded({
    connection: front.take,
    answering: front.answering,
    told: front.told,
    async look(next) {
      await declared.take(next as DeclaredNow | null);
      return (await changes.look()) && audit.lag().writable;
    },
    answers: {
      async drain() {
        await audit.settled();
        return true;
      },
      async metrics(): Promise<ToldMetrics> {
        const process = `${start.name}/${performance.timeOrigin}`;
        return { process, metrics: await telemetry.metrics.read() };
      },
    },
    stop: stopped.resolve,
  });
  await stopped.promise;
  await front.close(graceMs);
  await rooms.close();
}

async function openRooms(link: LaneLink, start: LaneStart, { settings, env, log }: LaneDeps): Promise<Rooms> {
  const clock = systemClock;
  // The office tells the metrics of all processes.
  const otlp = settings.otel === null ? null : { ...settings.otel, metrics: null };
  const telemetry = await createTelemetry({
    log,
    logLevel: settings.logLevel,
    clock,
    version: start.version,
    otlp,
    egress: () => createEgress({ allow: settings.egressAllow, clock }),
  });
  watchProcess(telemetry.metrics, clock, start.version);
  const { config } = start.declared;
  return await buildRooms(settings, config, clock, telemetry, () => start.origin, env, {
    ...alone,
    heldDb: settings.databaseUrl === null ? link.db : null,
    sharesDb: true,
    isOffice: false,
    onHurry: link.hurry,
    auditDir: ({ dataDir }) => laneDir(dataDir, start.number),
    sources: (sources) => whileFresh(sources, link),
  });
}

/** What the config file declares, as the office read it. */
function createDeclaring(first: DeclaredNow, rooms: Rooms) {
  let wanted = first;
  let applied: DeclaredNow | null = null;
  return {
    /** `null`: what was declared before. */
    async take(next: DeclaredNow | null): Promise<void> {
      wanted = next ?? wanted;
      while (applied !== wanted) {
        const now = wanted;
        await applyDeclared(now.config, now.demo, rooms);
        applied = now;
      }
    },
  };
}

function openFront(link: LaneLink, start: LaneStart, { settings, log }: LaneDeps, rooms: Rooms) {
  const clock = systemClock;
  const issuer = () => start.origin;
  const origins = createOriginPolicy({ bindHost: settings.host, publicUrl: settings.publicUrl });
  const streams = createStreams(clock);
  // The office has the last word of each, and knows how many there are.
  const sessions = createSessions({ ...rooms, clock, log, tell: async () => {} });
  const stopTelling = tellOfUse(sessions, clock, link);
  gatherState(rooms);
  gatherOpen(rooms.telemetry, streams);
  const endpoint = createLaneEndpoint(
    {
      ...rooms,
      clock,
      log,
      sessions,
      streams,
      tasks: createTaskIds(rooms.sealer, clock),
      page: createGatewayPage({ ...rooms, issuer }),
      issuer,
      version: start.version,
    },
    origins,
  );
  const front = createLaneFront({
    accepts: endpoint.accepts,
    serves(request, response) {
      if (!link.isFresh()) return false;
      try {
        return endpoint.serves(request, response);
      } catch (error) {
        log.warn({ error: messageOf(error) }, 'a lane left a request to the office');
        return false;
      }
    },
    pass: link.pass,
    handOver: link.handOver,
    answered: countAnswers(rooms.telemetry.metrics),
  });
  return {
    ...front,
    told: (news: unknown) => sessions.heard(news as SessionNews),
    async close(withinMs: number) {
      sessions.stopAsking();
      await front.close(withinMs);
      stopTelling();
      streams.close();
      sessions.close();
    },
  };
}

/** Far less than the time after which a session is idle. */
const tellOfUseEveryMs = 30_000;

/** What a session keeps at the office lasts for as long as its client calls here. */
function tellOfUse(sessions: Sessions, clock: Clock, link: LaneLink): () => void {
  let toldMs = clock.now();
  return clock.every(tellOfUseEveryMs, () => {
    const used: SessionsUsed = sessions.usedSince(toldMs);
    toldMs = clock.now();
    if (used.length > 0) link.tell(used);
  });
}
