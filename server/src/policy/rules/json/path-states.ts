import { everything, type JsonPath, type PathSegment } from './json-path.ts';

/**
 * How far each of several paths has come at one value: bit i is set where its first i segments lead there. Beside these, whether
 * the path selects the value, and whether the value lies in one that it selects.
 */
export type PathStates = readonly number[];

const selectedBit = 1 << 30;
const insideBit = 1 << 29;
const beginning = 1;

/** Whether path number `path` selects the value, and selects none around it. */
export function isSelected(states: PathStates, path: number): boolean {
  return ((states[path] ?? 0) & selectedBit) !== 0;
}

/** Whether the value is selected, or lies in one that is. */
export function isInside(states: PathStates, path: number): boolean {
  return ((states[path] ?? 0) & insideBit) !== 0;
}

export interface PathSet {
  /** Where no path leads. */
  readonly nowhere: PathStates;
  /** At a value where all paths begin; `around`: at the string that it is written in. */
  begin(around: PathStates): PathStates;
  /** At a member or an item, of `length` items. */
  step(states: PathStates, to: string | number, length: number): PathStates;
  /** Whether a path counts from the end, so that it must be known how long arrays are. */
  readonly countsBack: boolean;
}

export function createPathSet(paths: readonly JsonPath[]): PathSet {
  const nowhere = paths.map(() => 0);
  return {
    nowhere,
    begin: (around) => {
      if (paths.length === 0) return nowhere;
      return paths.map(({ segments }, path) =>
        isInside(around, path) ? insideBit | beginning : arrived(beginning, segments.length),
      );
    },
    step(states, to, length) {
      if (states === nowhere) return nowhere;
      let next: number[] | null = null;
      for (let path = 0; path < paths.length; path++) {
        const state = states[path] as number;
        const stepped = state === 0 ? 0 : stepOne((paths[path] as JsonPath).segments, state, to, length);
        if (stepped === 0) continue;
        next ??= nowhere.slice();
        next[path] = stepped;
      }
      return next ?? nowhere;
    },
    countsBack: paths.some(({ segments }) =>
      segments.some(({ selectors }) => selectors.some((one) => typeof one === 'number' && one < 0)),
    ),
  };
}

function stepOne(
  segments: readonly PathSegment[],
  state: number,
  to: string | number,
  length: number,
): number {
  if ((state & insideBit) !== 0) return insideBit;
  let next = 0;
  for (let index = 0; index < segments.length; index++) {
    if ((state & (1 << index)) === 0) continue;
    const segment = segments[index] as PathSegment;
    if (segment.descendant) next |= 1 << index;
    if (selects(segment, to, length)) next |= 1 << (index + 1);
  }
  return arrived(next, segments.length);
}

function arrived(state: number, last: number): number {
  return (state & (1 << last)) === 0 ? state : selectedBit | insideBit;
}

function selects({ selectors }: PathSegment, to: string | number, length: number): boolean {
  return selectors.some(
    (selector) =>
      selector === everything ||
      selector === to ||
      (typeof selector === 'number' && selector < 0 && typeof to === 'number' && selector + length === to),
  );
}
