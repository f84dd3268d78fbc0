import type {
  Challenge,
  DispatchedCall,
  DispatchedRequest,
  DispatchedSubscription,
  Source,
  SourceFailure,
  SourceOffer,
  SourceReturn,
  SourceStatus,
} from '#domain';
import { err, messageOf, type Result } from '#foundation';
import type { Log } from '#telemetry';
import { type Announced, createAnnouncer } from './announcer.ts';
import type {
  CallFailure,
  Inspection,
  InspectionFailure,
  SourceConnection,
  SourcesDeps,
} from './contract.ts';
import { createSchedule } from './schedule.ts';
import { disabledStatus, healthyStatus, unhealthyStatus, unknownStatus } from './status.ts';
import { withSteps } from './steps.ts';
import { fullVeilOf } from './veil.ts';

/** One registered source, looked at again and again. */
export interface WatchedSource {
  readonly source: Source;
  /** When it should be looked at next, by the clock. */
  dueAt(): number;
  busy(): boolean;
  announced(): Announced;
  status(): SourceStatus;
  /** How it refused the last look. */
  challenge(): Challenge | null;
  /** Something hints that a look would find something else. */
  hurry(): void;
  /** What it offers is said once more with the next look, though it be the same. */
  sayAgain(): void;
  /** Looks now; what was begun before this was called does not count. */
  inspect(): Promise<SourceStatus>;
  call(call: DispatchedCall): Promise<Result<SourceReturn, CallFailure>>;
  request(request: DispatchedRequest): Promise<Result<SourceReturn, CallFailure>>;
  subscribe(subscription: DispatchedSubscription): Promise<Result<() => void, CallFailure>>;
  /** The connection itself, for what has no outcome. */
  readonly connection: Pick<SourceConnection, 'tell' | 'endConversation' | 'standsAlone'>;
  /** Closes the connection once the calls under way are done. Resolves when nothing more will be announced. */
  close(): Promise<void>;
  /** After `close`: done when the source was told of what is over. */
  over(): Promise<void>;
}

export type WatchDeps = Pick<SourcesDeps, 'clock' | 'log' | 'onListed' | 'onUnavailable' | 'secretOf'> & {
  readonly refreshEveryMs: number;
  /** Called when a look is due earlier than planned. */
  readonly onHurry: (source: Source) => void;
};

/** Codes of calls after which the status is probably no longer right. */
const telling: ReadonlySet<string> = new Set([
  'source.address_unresolved',
  'source.address_refused',
  'source.unreachable',
  'source.interrupted',
  'source.secret_refused',
  'catalog.tool_unavailable',
]);

/** `open` gets the function to call when the source says that a list of it changed. A disabled source is not opened. */
export function watchSource(
  source: Source,
  open: (onListChanged: () => void) => Result<SourceConnection, SourceFailure>,
  before: Announced,
  deps: WatchDeps,
): WatchedSource {
  const { clock, log } = deps;
  const schedule = createSchedule(clock, deps.refreshEveryMs, source.id);
  const announcer = createAnnouncer(source, before, deps);
  const veilNow = fullVeilOf(source, deps.secretOf);
  const connection = source.enabled ? connectionOf(open(hurry)) : connectionOf(err(disabled(source)));
  let status = source.enabled ? unknownStatus() : disabledStatus();
  let challenge: Challenge | null = null;
  let running: Promise<SourceStatus> | null = null;
  let next: Promise<SourceStatus> | null = null;
  let calls = 0;
  let closed = false;
  let ending = Promise.resolve();

  function hurry(): void {
    if (closed) return;
    schedule.hurry(running !== null);
    deps.onHurry(source);
  }

  async function run(): Promise<SourceStatus> {
    const looked = await inspectSafely(connection, source, deps);
    challenge = looked.ok ? null : (looked.error.challenge ?? null);
    const veil = await veilNow();
    const found = looked.ok ? looked : err(veil(looked.error));
    if (closed) return status;
    const was = status;
    if (!source.enabled) {
      // What is switched off offers nothing; what is down offers what it did, unavailable.
      await announcer.listed(nothing);
    } else if (!found.ok) {
      status = unhealthyStatus(found.error, found.error.steps, clock.iso());
      await announcer.unavailable();
    } else if (await announcer.listed(found.value.offer)) {
      status = veil(healthyStatus(found.value, clock.iso()));
    } else {
      status = unhealthyStatus(notKept, withSteps(notKept).steps, clock.iso());
    }
    if (status.state === was.state) status = { ...status, since: was.since };
    else tellChange(source, status, log);
    schedule.looked(isWell(status));
    return status;
  }

  async function counted<T>(ask: () => Promise<Result<T, CallFailure>>): Promise<Result<T, CallFailure>> {
    calls++;
    let returned: Result<T, CallFailure>;
    try {
      returned = await ask();
    } finally {
      calls--;
      if (closed && calls === 0) ending = connection.close();
    }
    if (returned.ok ? status.state === 'unhealthy' : telling.has(returned.error.code)) hurry();
    return returned.ok ? returned : err((await veilNow())(returned.error));
  }

  function start(): Promise<SourceStatus> {
    running = run().finally(() => {
      running = null;
    });
    return running;
  }

  return {
    source,
    dueAt: schedule.dueAt,
    busy: () => running !== null,
    hurry,
    sayAgain: announcer.sayAgain,
    announced: announcer.last,
    status: () => status,
    challenge: () => challenge,
    inspect() {
      if (running === null) return start();
      next ??= running.then(() => {
        next = null;
        return start();
      });
      return next;
    },
    connection,
    call: (call) => counted(() => connection.call(call)),
    request: (request) => counted(() => connection.request?.(request) ?? Promise.resolve(toolsOnly(source))),
    subscribe: (wish) => counted(() => connection.subscribe?.(wish) ?? Promise.resolve(toolsOnly(source))),
    async close() {
      closed = true;
      if (calls === 0) ending = connection.close();
      await announcer.close();
    },
    over: () => ending,
  };
}

function isWell({ state }: SourceStatus): boolean {
  return state === 'healthy' || state === 'disabled';
}

function tellChange({ id }: Source, status: SourceStatus, log: Log): void {
  const { state, message } = status;
  log[isWell(status) ? 'info' : 'warn']({ source: id, state }, `a source changed: ${message}`);
}

async function inspectSafely(
  connection: SourceConnection,
  source: Source,
  { log }: WatchDeps,
): Promise<Result<Inspection, InspectionFailure>> {
  try {
    return await connection.inspect();
  } catch (error) {
    log.error({ source: source.id, err: error }, 'the inspection of a source failed inside the gateway');
    const message = `the gateway could not inspect it: ${messageOf(error)}`;
    return err(withSteps({ code: 'internal', message, step: 'tools_valid' }));
  }
}

/** What could not be opened fails every time with the reason. */
function connectionOf(opened: Result<SourceConnection, SourceFailure>): SourceConnection {
  if (opened.ok) return opened.value;
  return {
    inspect: async () => err(withSteps(opened.error)),
    call: async () => opened,
    async close() {},
  };
}

function toolsOnly({ id }: Source): Result<never, CallFailure> {
  const message = `the source ${id} offers tools only`;
  return err({ code: 'request.method_unknown', message, step: 'tools_fetched' });
}

const nothing: SourceOffer = { tools: [], prompts: [], resources: [], templates: [], capabilities: {} };

const notKept: SourceFailure = {
  code: 'internal',
  message: 'it answers, but the gateway could not keep its list of tools: see the log of the gateway',
  step: 'tools_valid',
};

function disabled({ id }: Source): SourceFailure {
  return { code: 'source.disabled', message: `the source ${id} is disabled`, step: 'address_resolved' };
}
