import type { ScimAttribute, ScimOperation, ScimSchema } from '@sallyport/contracts';
import { isMembers, ok, type Result } from '#foundation';
import type { Condition } from '#identity';
import { itemCondition } from './condition.ts';
import { parsePath } from './filter-syntax.ts';
import { fits, saidOf } from './fits.ts';
import { invalid, type ScimProblem } from './problem.ts';
import { type Attributes, isKept, readAttributes, readValue } from './read-attributes.ts';
import { type Named, named, userResource } from './resource-schema.ts';

type Done = Result<void, ScimProblem>;
const done: Done = ok(undefined);

/** The operations, one after another, on a copy. What they say of attributes that are not known is left out. */
export function patchUser(
  user: Attributes,
  operations: readonly ScimOperation[],
): Result<Attributes, ScimProblem> {
  const patched = structuredClone(user);
  for (const operation of operations) {
    const applied = applyOperation(patched, operation);
    if (!applied.ok) return applied;
  }
  return ok(patched);
}

function applyOperation(user: Attributes, { op, path, value }: ScimOperation): Done {
  if (path != null && path.trim() !== '') return at(user, op, path, value);
  if (op === 'remove') return invalid('noTarget', 'path: say what to remove', 'path');
  if (!isMembers(value)) {
    return invalid('invalidValue', 'value: without a path it must be an object', 'value');
  }
  return members(user, op, value, '');
}

/** Names of members may be paths themselves, and those of an extension stand in an object of its name. */
function members(user: Attributes, op: ScimOperation['op'], value: object, prefix: string): Done {
  for (const [name, member] of Object.entries(value)) {
    if (['schemas', 'id', 'meta', 'groups'].includes(name)) continue;
    const applied = at(user, op, prefix + name, member);
    if (!applied.ok) return applied;
  }
  return done;
}

function at(user: Attributes, op: ScimOperation['op'], path: string, value: unknown): Done {
  const parsed = parsePath(path);
  if (!parsed.ok) return invalid('invalidPath', `path: ${parsed.error}`, 'path');
  const { name, where, sub } = parsed.value;
  const target = named(userResource, sub === null ? name : `${name}.${sub}`);
  if (target === null) return done;
  const { extension, attribute } = target;
  if (attribute === null) return wholeExtension(user, op, extension as ScimSchema, value);
  if (!isKept(attribute)) {
    return attribute.mutability === 'readOnly'
      ? invalid('mutability', `${attribute.name}: is not the directory's to change`, attribute.name)
      : done;
  }
  const condition = where === null ? ok(null) : itemsWhere(where, attribute, path);
  if (!condition.ok) return condition;
  const home = homeOf(user, extension);
  const applied = change({ home, target: { ...target, attribute }, op, value, path, where: condition.value });
  if (extension !== null && Object.keys(home).length === 0) delete user[extension.id];
  return applied;
}

function itemsWhere(
  where: Parameters<typeof itemCondition>[0],
  attribute: ScimAttribute,
  path: string,
): Result<Condition, ScimProblem> {
  if (!attribute.multiValued) return invalid('invalidPath', `path: ${attribute.name} is no list`, 'path');
  const condition = itemCondition(where, attribute);
  return condition.ok ? condition : invalid('invalidFilter', `${path}: ${condition.error}`, 'path');
}

function homeOf(user: Attributes, extension: ScimSchema | null): Attributes {
  if (extension === null) return user;
  user[extension.id] ??= {};
  return user[extension.id] as Attributes;
}

function wholeExtension(user: Attributes, op: ScimOperation['op'], { id }: ScimSchema, value: unknown): Done {
  if (op === 'remove') {
    delete user[id];
    return done;
  }
  if (!isMembers(value)) return invalid('invalidValue', `${id}: must be an object`, 'value');
  return members(user, op, value, `${id}:`);
}

interface Change {
  /** The user, or the extension that the attribute stands in. */
  readonly home: Attributes;
  readonly target: Named & { readonly attribute: ScimAttribute };
  readonly op: ScimOperation['op'];
  readonly value: unknown;
  readonly path: string;
  readonly where: Condition | null;
}

function change(asked: Change): Done {
  if (asked.target.attribute.multiValued) return changeList(asked);
  return asked.target.sub === null ? changeOne(asked) : changePart(asked);
}

function changeOne({ home, target: { attribute }, op, value }: Change): Done {
  const { name } = attribute;
  if (op === 'remove' && name === 'active') {
    return invalid('invalidValue', 'active: say true or false', 'active');
  }
  const read = op === 'remove' ? ok(undefined) : readValue(attribute, value, name);
  if (!read.ok) return read;
  if (read.value === undefined) {
    if (name !== 'active') delete home[name];
  } else {
    // Parts that are not named stay.
    home[name] = isMembers(read.value) ? { ...(home[name] as object), ...read.value } : read.value;
  }
  return done;
}

function changePart({ home, target: { attribute, sub }, op, value }: Change): Done {
  const whole = { ...(home[attribute.name] as Attributes | undefined) };
  const set = setPart(whole, sub as ScimAttribute, op, value, attribute.name);
  if (!set.ok) return set;
  if (Object.keys(whole).length === 0) delete home[attribute.name];
  else home[attribute.name] = whole;
  return done;
}

function setPart(
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

function changeList(asked: Change): Done {
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
