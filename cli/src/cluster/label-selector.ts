export type Labels = Readonly<Record<string, string>>;

/** Which pods are meant; every condition has to hold. */
export interface LabelSelector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    readonly values?: readonly string[];
  }[];
}

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
