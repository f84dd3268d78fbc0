import { AsyncLocalStorage } from 'node:async_hooks';
import type { PassedOn, Span } from './contract.ts';
import { attributesOf, serverOf } from './conventions.ts';

/** Has the span of what is under way; another one as it goes on. */
export interface SpanHolder {
  readonly span: Span;
}

const holders = new AsyncLocalStorage<SpanHolder>();

/** Does work, and whatever it asks of other systems is told of this span. Costs nothing where they are told nothing. */
export function withinSpan<T>(holder: SpanHolder, work: () => T): T {
  const { passedOn, sampled } = holder.span;
  return passedOn === null && !sampled ? work() : holders.run(holder, work);
}

/** One request to another system by HTTP. */
export interface AskedSpan {
  /** What it is told; `null`: nothing. */
  readonly passedOn: PassedOn | null;
  answered(status: number): void;
  failed(code: string): void;
}

/** Within whatever is under way; `null`: nothing is, that others would be told of. */
export function askedSpan(method: string, url: URL): AskedSpan | null {
  const holder = holders.getStore();
  if (holder === undefined) return null;
  const { span } = holder;
  if (!span.sampled) return { passedOn: span.passedOn, answered() {}, failed() {} };
  const facts = { httpMethod: method, ...serverOf(url.origin) };
  const asked = span.child(`${method} ${url.hostname}`, { kind: 'client', attributes: attributesOf(facts) });
  return {
    passedOn: asked.passedOn,
    answered(status) {
      asked.set(attributesOf({ httpStatus: status }));
      asked.end(status >= 400 ? String(status) : null);
    },
    failed: (code) => asked.end(code),
  };
}
