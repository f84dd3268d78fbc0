import type { Delivery } from './delivery.ts';
import type { Health } from './health.ts';

/** How one signal is written for a collector, and what its answers say was not taken. */
export interface Encoding<Items> {
  encode(items: Items): Uint8Array | undefined;
  /** Throws for what is no answer. */
  rejectedIn(answer: Uint8Array): number;
  countOf(items: Items): number;
}

/** Sends to a collector, for at most `withinMs`; how that went is for `health`. Never rejects. */
export type Export<Items> = (items: Items) => Promise<void>;

export interface ExporterDeps<Items> {
  readonly encoding: Encoding<Items>;
  readonly delivery: Delivery;
  readonly health: Health;
  /** For one export, with all that it is sent again. */
  readonly withinMs: number;
}

export function createExport<Items>({
  encoding,
  delivery,
  health,
  withinMs,
}: ExporterDeps<Items>): Export<Items> {
  return async (items) => {
    const count = encoding.countOf(items);
    const body = encoding.encode(items);
    if (body === undefined) return health.failed('it could not be encoded', count);
    const answer = await delivery.deliver(body, withinMs);
    if (!answer.ok) return health.failed(answer.error, count);
    const rejected = rejectedOf(encoding, answer.value);
    if (rejected > 0) health.partly(rejected, count);
    else health.arrived();
  };
}

/** A collector that takes it and answers with something else took it all the same. */
function rejectedOf<Items>({ rejectedIn }: Encoding<Items>, answer: Uint8Array): number {
  if (answer.length === 0) return 0;
  try {
    return rejectedIn(answer);
  } catch {
    return 0;
  }
}
