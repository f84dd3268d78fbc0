import type { Clock } from '#foundation';
import type { BatchSettings } from './contract.ts';

export interface BatchDeps<Item> {
  readonly clock: Clock;
  /** Never rejects. */
  readonly send: (items: readonly Item[]) => Promise<void>;
  readonly onDropped: (count: number) => void;
}

/** What waits to be sent, so much and no more: what does not fit is dropped and counted. One batch is under way at a time. */
export interface Batch<Item> {
  add(item: Item): void;
  /** Sends all that waits. */
  flush(): Promise<void>;
  stop(): void;
}

export function createBatch<Item>(
  { delayMs, maxQueue, maxBatch }: BatchSettings,
  { clock, send, onDropped }: BatchDeps<Item>,
): Batch<Item> {
  let waiting: Item[] = [];
  let sending: Promise<void> | null = null;

  async function sendAll(isEnough: () => boolean): Promise<void> {
    while (!isEnough()) {
      const items = waiting.slice(0, maxBatch);
      waiting = waiting.slice(maxBatch);
      await send(items);
    }
  }

  function begin(isEnough: () => boolean): Promise<void> {
    sending ??= sendAll(isEnough).finally(() => {
      sending = null;
      // What filled up meanwhile does not wait for the next look.
      if (waiting.length >= maxBatch) void begin(notFull);
    });
    return sending;
  }
  const isEmpty = () => waiting.length === 0;
  const notFull = () => waiting.length < maxBatch;

  const stop = clock.every(delayMs, () => void begin(isEmpty));
  return {
    add(item) {
      if (waiting.length >= maxQueue) return onDropped(1);
      waiting.push(item);
      if (waiting.length >= maxBatch) void begin(notFull);
    },
    async flush() {
      while (sending !== null || waiting.length > 0) await begin(isEmpty);
    },
    stop,
  };
}
