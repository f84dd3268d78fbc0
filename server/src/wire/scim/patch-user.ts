import type { ScimAttribute, ScimOperation, ScimSchema } from '@sallyport/contracts';
import { isMembers, ok, type Result } from '#foundation';
import type { Condition } from '#identity';
import { itemCondition } from './condition.ts';
import { parsePath } from './filter-syntax.ts';
import { type Change, changeList, type Done, done, setPart } from './patch-list.ts';
import { invalid, type ScimProblem } from './problem.ts';
import { type Attributes, isKept, readValue } from './read-attributes.ts';
import { named, userResource } from './resource-schema.ts';

const maxLength = 256 * 1024;

/** The operations, one after another, on a copy. What they say of attributes that are not known is left out. */
export function patchUser(
  user: Attributes,
  operations: readonly ScimOperation[],
): Result<Attributes, ScimProblem> {
  // Each of many paths can ask much of each of many values.
  if (JSON.stringify(operations).length > maxLength) {
    return invalid('invalidValue', `Operations: have more than ${maxLength} characters`, 'Operations');
  }
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
