/** An attribute in the directory's words, as its schema has it. */
export interface Field {
  /** `['emails', 'value']`; the first may be the name of an extension. */
  readonly path: readonly string[];
  readonly type: 'text' | 'boolean' | 'time' | 'object';
  /** Upper and lower case differ. */
  readonly exact: boolean;
  /** The first of the path is a list: one of its items must fit. */
  readonly list: boolean;
}

export const comparisons = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const;
export type Comparison = (typeof comparisons)[number];

/** What a search asks of a user or a group, or a path of one item of a list. `ne` is that nothing is equal. */
export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly present: Field }
  | { readonly field: Field; readonly is: Comparison; readonly value: string }
  /** One item of the list fits; the paths within begin at the item. */
  | { readonly some: string; readonly where: Condition };

/** No attribute: nothing has it. */
export const never: Condition = { any: [] };
