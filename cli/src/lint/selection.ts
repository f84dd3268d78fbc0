import type { Mapping } from '../files/values.ts';
import { mapping, selects } from './values.ts';

/** Finds what a selector selects, and the selectors that select something, without looking at everything. */
export interface Selection<T> {
  /** Those whose labels have every pair of the selector; none for an empty one. */
  readonly selectedBy: (namespace: string, selector: Mapping) => readonly T[];
}

export interface Selectors<T> {
  /** Those whose selector fits the labels. An empty selector fits nothing, or everything where `emptyFits`. */
  readonly selecting: (namespace: string, labels: Mapping) => readonly T[];
}

const key = (namespace: string, label: string, value: unknown): string => `${namespace} ${label}=${value}`;

export function indexLabels<T>(
  all: readonly T[],
  place: (one: T) => string,
  labelsOf: (one: T) => Mapping,
): Selection<T> {
  const byPair = new Map<string, T[]>();
  for (const one of all) {
    for (const [label, value] of Object.entries(labelsOf(one)))
      add(byPair, key(place(one), label, value), one);
  }
  return {
    selectedBy: (namespace, selector) => {
      const [first] = Object.entries(selector);
      if (first === undefined) return [];
      const found = byPair.get(key(namespace, ...first)) ?? [];
      return found.filter((one) => selects(selector, labelsOf(one)));
    },
  };
}

export function indexSelectors<T>(
  all: readonly T[],
  place: (one: T) => string,
  selectorOf: (one: T) => unknown,
  emptyFits: boolean,
): Selectors<T> {
  const byPair = new Map<string, T[]>();
  const empty = new Map<string, T[]>();
  for (const one of all) {
    const [first] = Object.entries(mapping(selectorOf(one)));
    if (first === undefined) add(empty, place(one), one);
    else add(byPair, key(place(one), ...first), one);
  }
  return {
    selecting: (namespace, labels) => {
      const found = Object.entries(labels).flatMap((pair) => byPair.get(key(namespace, ...pair)) ?? []);
      const fitting = found.filter((one) => selects(mapping(selectorOf(one)), labels));
      return emptyFits ? [...fitting, ...(empty.get(namespace) ?? [])] : fitting;
    },
  };
}

function add<T>(index: Map<string, T[]>, at: string, one: T): void {
  const there = index.get(at);
  if (there === undefined) index.set(at, [one]);
  else there.push(one);
}
