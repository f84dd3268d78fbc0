import { itemsAt, textAt, textsAt } from './fields.ts';

export type Labels = Readonly<Record<string, string>>;

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;
type Operator = (typeof operators)[number];

/** Which pods are meant; every condition has to hold. */
export interface LabelSelector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: Operator;
    readonly values?: readonly string[];
  }[];
}

/** Of an object that people wrote; `null` where it says nothing, or what no selector can. */
export function readSelector(value: unknown): LabelSelector | null {
  const matchLabels = textsAt(value, 'matchLabels');
  const matchExpressions = itemsAt(value, 'matchExpressions').map((one) => ({
    key: textAt(one, 'key') ?? '',
    operator: operators.find((operator) => operator === one.operator) ?? null,
    values: Array.isArray(one.values) ? one.values.map(String) : [],
  }));
  const known = matchExpressions.flatMap(({ operator, ...one }) =>
    operator === null ? [] : [{ ...one, operator }],
  );
  const isEmpty = Object.keys(matchLabels).length === 0 && known.length === 0;
  return isEmpty || known.length < matchExpressions.length ? null : { matchLabels, matchExpressions: known };
}

/** Whether there are such labels: of a selector that says nothing, always. */
export function fits({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Labels): boolean {
  const isSaid = ([label, value]: [string, string]) => labels[label] === value;
  return (
    Object.entries(matchLabels).every(isSaid) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      const isOne = value !== undefined && values.includes(value);
      const holds = {
        In: isOne,
        NotIn: !isOne,
        Exists: value !== undefined,
        DoesNotExist: value === undefined,
      };
      return holds[operator];
    })
  );
}

/** `app=github,tier in (a,b),!old`, as the API and people have it. */
export function selectorText({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const pairs = Object.entries(matchLabels).map(([label, value]) => `${label}=${value}`);
  const others = matchExpressions.map(({ key, operator, values = [] }) => {
    const list = `(${values.join(',')})`;
    return { In: `${key} in ${list}`, NotIn: `${key} notin ${list}`, Exists: key, DoesNotExist: `!${key}` }[
      operator
    ];
  });
  return [...pairs, ...others].join(',');
}
