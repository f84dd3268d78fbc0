import type { Family, SeriesSnapshot } from './contract.ts';

/** What an instrument says of itself when it is read. */
export interface Readable {
  read(): Omit<SeriesSnapshot, 'values'>;
}

/** By the value of the first label the branch of the second, and so on; instruments are the leaves. */
type Branch<Instrument> = Map<string, Branch<Instrument> | Instrument>;

/** The series of one metric, at most `maxSeries` and the one that takes the rest. */
export function createFamily<Instrument>(
  labels: readonly string[],
  maxSeries: number,
  make: () => Instrument & Readable,
): { readonly family: Family<Instrument>; readonly read: () => SeriesSnapshot[] } {
  type Made = Instrument & Readable;
  // A metric without labels is one leaf, under no value.
  const depth = Math.max(labels.length, 1);
  const root: Branch<Made> = new Map();
  const others = labels.map(() => 'other');
  let rest: Made | null = null;
  let count = 0;

  function added(values: readonly string[]): Made {
    if (values.length !== labels.length) throw new Error(`expected a value for each of ${labels.join(', ')}`);
    if (count >= maxSeries) {
      rest ??= make();
      return rest;
    }
    let branch = root;
    for (let at = 0; at < depth - 1; at++) {
      const value = values[at] as string;
      let next = branch.get(value) as Branch<Made> | undefined;
      if (next === undefined) {
        next = new Map();
        branch.set(value, next);
      }
      branch = next;
    }
    const leaf = make();
    branch.set(values[depth - 1] ?? '', leaf);
    count++;
    return leaf;
  }

  function* leaves(branch: Branch<Made>, values: readonly string[]): Generator<[readonly string[], Made]> {
    for (const [value, next] of branch) {
      const path = labels.length === 0 ? values : [...values, value];
      if (next instanceof Map) yield* leaves(next, path);
      else yield [path, next];
    }
  }

  return {
    family: {
      of(...values) {
        let found: Branch<Made> | Made | undefined = root;
        for (let at = 0; at < depth && found !== undefined; at++) {
          found = (found as Branch<Made>).get(values[at] ?? '');
        }
        return found === undefined || found instanceof Map ? added(values) : found;
      },
      forget(...first) {
        const gone = [...leaves(root, [])].filter(([values]) =>
          first.every((value, at) => values[at] === value),
        );
        for (const [values] of gone) remove(root, values);
        count -= gone.length;
        if (first.every((value) => value === 'other')) rest = null;
      },
    },
    read() {
      const series = [...leaves(root, [])].map(([values, leaf]) => ({ values, ...leaf.read() }));
      return rest === null ? series : [...series, { values: others, ...rest.read() }];
    },
  };
}

/** Takes the leaf away, and every branch that held nothing else. */
function remove<Leaf>(branch: Branch<Leaf>, [value = '', ...further]: readonly string[]): void {
  const next = branch.get(value);
  if (further.length > 0 && next instanceof Map) {
    remove(next, further);
    if (next.size > 0) return;
  }
  branch.delete(value);
}
