import { type Clock, randomHex } from '#foundation';
import type { Attributes, EndedSpan, PassedOn, Span, SpanOptions } from './contract.ts';

/** Where ended spans go. Never throws, and keeps nobody waiting. */
export type SpanSink = (span: EndedSpan) => void;

/** What all spans of one request share. */
export interface Recording {
  readonly clock: Clock;
  readonly sink: SpanSink;
  /** What the monotonic time is counted from, in milliseconds since the Unix epoch. */
  readonly epochMs: number;
  readonly traceId: string;
  readonly flags: number;
  readonly tracestate: string | null;
  /** What others are told. */
  readonly propagation: { readonly tracecontext: boolean; readonly baggage: boolean };
}

interface Place {
  readonly kind: EndedSpan['kind'];
  readonly parentId: string | null;
  readonly isParentRemote: boolean;
}

/** A user may name a tool, or a resource, at any length. */
const maxTextLength = 1024;

/** A span that is kept, and handed over at its end. */
export class RecordedSpan implements Span {
  readonly traceId: string;
  readonly spanId = randomHex(8);
  readonly traceparent: string;
  readonly #recording: Recording;
  readonly #place: Place;
  readonly #startedAt: number;
  readonly #attributes: Record<string, string | number | boolean> = {};
  #name: string;
  #error: string | null = null;
  #isOver = false;

  constructor(recording: Recording, place: Place, name: string, options: SpanOptions) {
    this.traceId = recording.traceId;
    this.traceparent = `00-${recording.traceId}-${this.spanId}-0${recording.flags}`;
    this.#recording = recording;
    this.#place = place;
    this.#name = bounded(name);
    this.#startedAt = options.startedAt ?? recording.clock.monotonic();
    if (options.attributes !== undefined) this.set(options.attributes);
  }

  get sampled(): boolean {
    return true;
  }

  get passedOn(): PassedOn | null {
    const { propagation, tracestate } = this.#recording;
    if (!propagation.tracecontext) return null;
    return { traceparent: this.traceparent, tracestate, passesBaggage: propagation.baggage };
  }

  child(name: string, options: SpanOptions = {}): Span {
    const place = { kind: options.kind ?? 'internal', parentId: this.spanId, isParentRemote: false };
    return new RecordedSpan(this.#recording, place, name, options);
  }

  rename(name: string): void {
    this.#name = bounded(name);
  }

  set(attributes: Attributes): void {
    for (const [name, value] of Object.entries(attributes))
      this.#attributes[name] = typeof value === 'string' ? bounded(value) : value;
  }

  fail(error: string): void {
    this.#error ??= error;
  }

  end(error: string | null = this.#error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { clock, sink, epochMs, traceId, flags, tracestate } = this.#recording;
    sink({
      ...this.#place,
      name: this.#name,
      traceId,
      spanId: this.spanId,
      flags,
      tracestate,
      startedMs: epochMs + this.#startedAt,
      endedMs: epochMs + clock.monotonic(),
      attributes: this.#attributes,
      error,
    });
  }
}

function bounded(text: string): string {
  return text.length <= maxTextLength ? text : text.slice(0, maxTextLength);
}
