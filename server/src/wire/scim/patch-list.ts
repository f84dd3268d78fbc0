import type { ScimAttribute, ScimOperation } from '@sallyport/contracts';
import { isMembers, ok, type Result } from '#foundation';
import type { Condition } from '#identity';
import { fits, saidOf } from './fits.ts';
import { invalid, type ScimProblem } from './problem.ts';
import { type Attributes, isKept, readAttributes, readValue } from './read-attributes.ts';
import type { Named } from './resource-schema.ts';

export type Done = Result<void, ScimProblem>;
export const done: Done = ok(undefined);

/** One operation, its path understood. */
export interface Change {
  /** The user, or the extension that the attribute stands in. */
  readonly home: Attributes;
  readonly target: Named & { readonly attribute: ScimAttribute };
  readonly op: ScimOperation['op'];
  readonly value: unknown;
  readonly path: string;
  readonly where: Condition | null;
}

/** Changes the items of a list: all, those that fit, or those that are named. */
export function changeList(asked: Change): Done {
  const { home, target, op, value, where } = asked;
  const { name } = target.attribute;
  const before = (home[name] ?? []) as readonly Attributes[];
  const changed =
    where === null && target.sub === null
      ? op === 'remove'
        ? ok(value == null ? [] : without(before, value))
        : withItems(asked, op === 'add' ? before : [], value)
      : changeItems(asked, before);
  if (!changed.ok) return changed;
  const read = readValue(target.attribute, changed.value, name);
  if (!read.ok) return read;
  if (read.value === undefined) delete home[name];
  else home[name] = read.value;
  return done;
}

/** Entra names what to remove in the value. */
function without(before: readonly Attributes[], value: unknown): readonly Attributes[] {
  const gone = new Set<string>();
  for (const one of Array.isArray(value) ? value : [value]) {
    const said = isMembers(one) ? (one as Attributes).value : one;
    if (typeof said === 'string') gone.add(said.toLowerCase());
  }
  return before.filter((item) => !gone.has(String(item.value ?? '').toLowerCase()));
}

/** The items and those that are added; one that is there already is not there twice. */
function withItems(
  { target: { attribute } }: Change,
  before: readonly Attributes[],
  value: unknown,
): Result<readonly Attributes[], ScimProblem> {
  const read = readValue(attribute, value, attribute.name);
  if (!read.ok) return read;
  const known = new Set(before.map((item) => JSON.stringify(item)));
  const added = ((read.value ?? []) as Attributes[]).filter((item) => !known.has(JSON.stringify(item)));
  return ok(
    preferring(
      added.find(({ primary }) => primary === true),
      [...before, ...added],
    ),
  );
}

/** Those that fit, or all; where none does, one is made that does. */
function changeItems(
  { target: { attribute, sub }, op, value, where, path }: Change,
  before: readonly Attributes[],
): Result<readonly Attributes[], ScimProblem> {
  const isMeant = (item: Attributes) => where === null || fits(where, item);
  const after = before.map((item) => ({ ...item }));
  const meant = after.filter(isMeant);
  if (meant.length === 0 && op !== 'remove') {
    const said = where === null ? {} : saidOf(where);
    if (said === null) return invalid('noTarget', `path: no value fits ${path}`, 'path');
    meant.push({ ...said });
    after.push(meant[0] as Attributes);
  }
  if (op === 'remove' && sub === null) return ok(after.filter((item) => !meant.includes(item)));
  for (const item of meant) {
    const set =
      sub === null ? setParts(item, attribute, value) : setPart(item, sub, op, value, attribute.name);
    if (!set.ok) return set;
  }
  const preferred = meant.find(({ primary }) => primary === true);
  return ok(preferring(preferred, after).filter(saysSomething));
}

function setParts(item: Attributes, { subAttributes = [], name }: ScimAttribute, value: unknown): Done {
  const parts = isMembers(value) ? value : { value };
  const read = readAttributes(subAttributes, parts, `${name}.`);
  if (!read.ok) return read;
  Object.assign(item, read.value);
  return done;
}

/** One that is made the primary one takes that from the others. */
function preferring(preferred: Attributes | undefined, items: readonly Attributes[]): Attributes[] {
  return items.map((item) =>
    preferred !== undefined && item !== preferred && item.primary === true
      ? { ...item, primary: false }
      : item,
  );
}

/** What is left without its value says nothing. */
function saysSomething(item: Attributes): boolean {
  return Object.keys(item).some((name) => name !== 'type' && name !== 'primary');
}

/** Changes one part of a value that has several. */
export function setPart(
  whole: Attributes,
  sub: ScimAttribute,
  op: ScimOperation['op'],
  value: unknown,
  at: string,
): Done {
  if (!isKept(sub)) return done;
  const read = op === 'remove' ? ok(undefined) : readValue(sub, value, `${at}.${sub.name}`);
  if (!read.ok) return read;
  if (read.value === undefined) delete whole[sub.name];
  else whole[sub.name] = read.value;
  return done;
}
