import { fileURLToPath } from 'node:url';
import type { Audit } from '#audit';
import type { ConfigFile } from '#config';
import type { Source } from '#domain';
import { type Clock, createSingleFlight } from '#foundation';
import { createFreshness, createOffice, type Office } from '#processes';
import type { Db } from '#storage';
import { createGathering, type Log, type MetricSnapshot, type ToldMetrics } from '#telemetry';
import { type HttpServer, PassedOnResponse, readElsewhere, type SessionNews, type Sessions } from '#wire';
import { type Among, alone } from './among.ts';
import { drainLeft } from './left-journals.ts';
import type { Rooms } from './rooms.ts';

/** What the config file declares, and what acts as if it did. */
export interface DeclaredNow {
  readonly config: ConfigFile;
  readonly demo: Source | null;
}

/** What a lane is told when it starts. */
export interface LaneStart {
  readonly name: string;
  readonly number: number;
  readonly origin: string;
  readonly version: string;
  readonly env: ProcessesDeps['env'];
  readonly declared: DeclaredNow;
}

/** The processes of the server, as the one that was started has them. */
export interface Processes {
  /** For the rooms of this process. */
  readonly among: Among;
  /** Changes what the config file declares, for all processes. */
  declare<T>(declared: DeclaredNow, apply: () => Promise<T>): Promise<T>;
  /** The metrics of all processes. They are asked once at a time, for all who want to know. */
  metrics(own: () => Promise<readonly MetricSnapshot[]>): Promise<readonly MetricSnapshot[]>;
  /** How many there shall be, and how many serve now. */
  counted(): { readonly wanted: number; readonly serving: number };
  /** Tells all lanes; done when they act by it. */
  tell(news: SessionNews): Promise<void>;
  /** From now on lanes serve, too. */
  open(server: HttpServer, own: OfficeRooms): Promise<void>;
  /** Done when all of them do. */
  complete(): Promise<void>;
  stop(graceMs: number): Promise<void>;
}

/** What lanes need of the office. */
export interface OfficeRooms extends Pick<Rooms, 'db' | 'sources'> {
  readonly sessions: Pick<Sessions, 'usedElsewhere'>;
  readonly origin: string;
}

/** What a lane tells: ids of sessions that were in use there. */
export type SessionsUsed = readonly string[];

export interface ProcessesDeps {
  readonly lanes: number;
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  /** A line of a lane's log. */
  readonly onLaneSaid: (line: string) => void;
}

const program = fileURLToPath(new URL('./lane-main.ts', import.meta.url));
/** Who asks what happened waits for so long for a lane that is busy. */
const drainWithinMs = 2000;
const metricsWithinMs = 1000;

export function createProcesses({
  lanes,
  dataDir,
  env,
  version,
  clock,
  log,
  onLaneSaid,
}: ProcessesDeps): Processes {
  const freshness = createFreshness();
  let office: Office | null = null;
  let db: Db | null = null;
  let declared: DeclaredNow | null = null;
  const drains = new Set<Promise<void>>();
  const gathered = createGathering();
  const gatherOnce = createSingleFlight<readonly MetricSnapshot[]>();

  /** Brings what a lane that is gone left in its journal into the database. */
  function drain(number: number): Promise<void> {
    if (db === null) return Promise.resolve();
    const draining = drainLeft(number, { dataDir, db, clock, log }).finally(() => drains.delete(draining));
    drains.add(draining);
    return draining;
  }

  async function settled(): Promise<void> {
    await Promise.all([...drains, office?.askAll('drain', drainWithinMs)]);
  }

  return {
    among: {
      ...alone,
      sharesDb: true,
      db: freshness.database,
      changes: freshness.changes,
      audit: (audit) => seeingAll(audit, settled),
    },
    declare(next, apply) {
      return freshness.during(async () => {
        declared = next;
        return await apply();
      });
    },
    metrics: (own) =>
      gatherOnce('metrics', async () => {
        const [here, there] = await Promise.all([own(), office?.askAll('metrics', metricsWithinMs)]);
        return gathered(here, (there ?? []) as ToldMetrics[]);
      }),
    counted: () => ({ wanted: lanes + 1, serving: 1 + (office?.serving() ?? 0) }),
    async tell(news) {
      await office?.tellAll(news);
    },
    async open(server, own) {
      db = own.db;
      office = createOffice({
        lanes,
        program,
        env,
        db: own.db,
        freshness,
        clock,
        log,
        start: (name, number): LaneStart => ({
          name,
          number,
          origin: own.origin,
          version,
          env,
          declared: declared as DeclaredNow,
        }),
        declared: () => declared,
        onEnded: drain,
        onSaid: onLaneSaid,
        onHurry: own.sources.hurry,
        onTold: (used) => own.sessions.usedElsewhere(used as SessionsUsed),
        onConnection: server.goOn,
        desk: {
          serve({ request, answer }) {
            const response = new PassedOnResponse(answer);
            server.answer(readElsewhere(request), response);
            return {
              taken: (bytes) => response.taken(bytes),
              over: (isFinished) => response.over(isFinished),
            };
          },
        },
      });
      server.offer(office.give);
    },
    async complete() {
      await office?.complete;
    },
    async stop(graceMs) {
      await office?.stop(graceMs);
    },
  };
}

/** What was answered by any process is seen. */
function seeingAll(audit: Audit, settled: () => Promise<void>): Audit {
  return {
    ...audit,
    async query(query) {
      await settled();
      return audit.query(query);
    },
    async get(projectId, id) {
      await settled();
      return audit.get(projectId, id);
    },
    async calls(query) {
      await settled();
      return audit.calls(query);
    },
    async toolUse(query) {
      await settled();
      return audit.toolUse(query);
    },
    async verify(options) {
      await settled();
      return audit.verify(options);
    },
  };
}
