import { plain } from './plain.ts';
import { type Place, type StandIn, type StandInOptions, startStandIn } from './stand-in.ts';

/** By the book, but it answers at `holds` only when it is let. */
export interface SlowStandIn extends StandIn {
  readonly holds: Set<Place>;
  /** How many requests wait. */
  readonly waiting: number;
  /** Resolves once so many wait. */
  arrived(count: number): Promise<void>;
  /** Answers all that wait, in order. */
  release(): void;
}

export async function startSlow(options?: StandInOptions): Promise<SlowStandIn> {
  const standIn = await startStandIn({ ...plain, name: 'slow' }, options);
  const holds = new Set<Place>(['token']);
  let held: (() => void)[] = [];
  let watchers: { readonly count: number; readonly done: () => void }[] = [];
  standIn.before = ({ place }) => {
    if (!holds.has(place)) return;
    return new Promise((resolve) => {
      held.push(resolve);
      for (const { done } of watchers.filter(({ count }) => held.length >= count)) done();
      watchers = watchers.filter(({ count }) => held.length < count);
    });
  };
  const close = standIn.close.bind(standIn);
  return Object.defineProperty(
    Object.assign(standIn, {
      holds,
      waiting: 0,
      arrived: (count: number) =>
        held.length >= count
          ? Promise.resolve()
          : new Promise<void>((done) => {
              watchers.push({ count, done });
            }),
      release() {
        const all = held;
        held = [];
        for (const go of all) go();
      },
      close,
    }),
    'waiting',
    { get: () => held.length },
  );
}
