import { type Clock, createSingleFlight, pause } from '#foundation';
import type { Log } from '#telemetry';
import type { Target } from '../authority.ts';
import type { Flow } from '../store/kept.ts';
import { type AtBrowserDeps, atBrowser } from './at-browser.ts';
import { type Begin, type BeginDeps, type Begun, createBegin } from './begin.ts';
import type { Consenting, FlowFailure } from './contract.ts';
import { createEnding, type Ending, type EndingDeps } from './ending.ts';

export type FlowsDeps = BeginDeps &
  EndingDeps &
  Omit<AtBrowserDeps, 'ending'> & { readonly clock: Clock; readonly log: Log };

/** Consents that users are asked for: begun by whoever needs one, ended at a browser or after ten minutes. */
export interface Flows
  extends Pick<Consenting, 'look' | 'open' | 'enter' | 'finish' | 'ended' | 'failedLately'> {
  readonly begin: Begin;
  readonly ending: Ending;
  /** With its address; `null` where there is nothing to open any more. */
  begunOf(flow: Flow): Promise<Begun | null>;
  /** As it is now: ended, where its time is over. */
  find(id: string): Promise<Flow | null>;
  /** Done when it has ended, or the time is over, or nobody wants to know any more. */
  wait(id: string, withinMs: number, signal: AbortSignal | null): Promise<Flow | null>;
  /** The target is gone: nobody can consent there any more. */
  endAllAt(target: Target): Promise<void>;
  /** Ends those whose time is over. */
  sweep(): Promise<void>;
  close(): void;
}

const keptMs = 24 * 3_600_000;
const sweepEveryMs = 30_000;
const lookAgainMs = 250;

const gone: FlowFailure = {
  code: 'target_gone',
  reason: 'whoever runs this server has removed it meanwhile',
  advice: '',
};

export function createFlows(deps: FlowsDeps): Flows {
  const { store, clock, log } = deps;
  const ending = createEnding(deps);

  async function sweep(): Promise<void> {
    for (const flow of await store.overdueFlows(clock.iso())) await ending.expire(flow);
    await store.tidyFlows(new Date(clock.now() - keptMs).toISOString());
  }

  const stopSweeping = clock.every(sweepEveryMs, () => {
    void sweep().catch((error) => log.warn({ err: error }, 'consents that are over could not be ended'));
  });

  const find = async (id: string) => ending.looked(await store.flow(id));
  const once = createSingleFlight<Flow | null>();

  /** In a moment; one look for however many wait. */
  const lookSoon = (id: string) => once(id, () => pause(clock, lookAgainMs).then(() => find(id)));

  return {
    ...atBrowser({ ...deps, ending }),
    begin: createBegin(deps),
    ending,
    async endAllAt(target) {
      for (const flow of await store.flowsOfTarget(target)) await ending.fail(flow, gone);
    },
    sweep,
    close: stopSweeping,
    find,
    async begunOf(flow) {
      const secret = flow.status === 'pending' ? await store.openFlow(flow) : null;
      return secret === null ? null : { flow, token: secret.token };
    },
    async wait(id, withinMs, signal) {
      const untilMs = clock.now() + withinMs;
      // Who stops waiting does not wait for the next look.
      const stopped = new Promise<void>((resolve) => {
        signal?.addEventListener('abort', () => resolve(), { once: true });
      });
      let flow = await find(id);
      while (isUnderWay(flow) && clock.now() < untilMs && signal?.aborted !== true) {
        const later = await Promise.race([lookSoon(id), stopped]);
        if (later !== undefined) flow = later;
      }
      return flow;
    },
  };
}

const isUnderWay = (flow: Flow | null): boolean => flow?.status === 'pending' || flow?.status === 'verifying';
