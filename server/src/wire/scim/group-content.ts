import { groupSchema, type ScimAttribute, type ScimOperation } from '@sallyport/contracts';
import { isMembers, ok, type Result } from '#foundation';
import type { Condition, GroupChange } from '#identity';
import { itemCondition } from './condition.ts';
import { parsePath } from './filter-syntax.ts';
import { invalid, type ScimProblem } from './problem.ts';
import { isKept, readValue } from './read-attributes.ts';
import { attributeIn, attributesOf, groupResource, named } from './resource-schema.ts';

const maxNameLength = 256;
const members = groupSchema.attributes.find(({ name }) => name === 'members') as ScimAttribute;

/** What a directory says of a group. Members that it says nothing of are none. */
export function readGroup(body: object): Result<GroupChange, ScimProblem> {
  let ids: ReadonlySet<string> = new Set();
  const head: Head = { displayName: '', externalId: null };
  for (const [name, value] of Object.entries(body)) {
    const attribute = attributeIn(attributesOf(groupResource.core), name);
    if (attribute === members) {
      const read = memberIds(value);
      if (!read.ok) return read;
      ids = read.value;
    } else if (attribute !== null) {
      const set = setHead(head, attribute, value);
      if (!set.ok) return set;
    }
  }
  return withName({ ...head, members: { keep: false, add: ids, remove: new Set() } });
}

interface Head {
  displayName: string;
  externalId: string | null;
}

/** Whom the operations so far take in and out; who is in the group need not be known. */
interface Members {
  keep: boolean;
  readonly add: Set<string>;
  readonly remove: Set<string>;
}

function takeIn({ add, remove }: Members, ids: Iterable<string>): void {
  for (const id of ids) {
    add.add(id);
    remove.delete(id);
  }
}

function takeOut({ add, remove }: Members, ids: Iterable<string>): void {
  for (const id of ids) {
    add.delete(id);
    remove.add(id);
  }
}

/** What the operations come to. What they say of attributes that are not known is left out. */
export function patchGroup(
  now: { readonly displayName: string; readonly externalId: string | null },
  operations: readonly ScimOperation[],
): Result<GroupChange, ScimProblem> {
  const head: Head = { displayName: now.displayName, externalId: now.externalId };
  const changed: Members = { keep: true, add: new Set(), remove: new Set() };
  for (const operation of operations) {
    const applied = applyOperation(head, changed, operation);
    if (!applied.ok) return applied;
  }
  const isSame = changed.keep && changed.add.size + changed.remove.size === 0;
  return withName({ ...head, members: isSame ? null : changed });
}

type Done = Result<void, ScimProblem>;
const done: Done = ok(undefined);

function applyOperation(head: Head, changed: Members, { op, path, value }: ScimOperation): Done {
  if (path != null && path.trim() !== '') return at(head, changed, op, path, value);
  if (op === 'remove') return invalid('noTarget', 'path: say what to remove', 'path');
  if (!isMembers(value))
    return invalid('invalidValue', 'value: without a path it must be an object', 'value');
  for (const [name, member] of Object.entries(value)) {
    if (['schemas', 'id', 'meta'].includes(name)) continue;
    const applied = at(head, changed, op, name, member);
    if (!applied.ok) return applied;
  }
  return done;
}

function at(head: Head, changed: Members, op: ScimOperation['op'], path: string, value: unknown): Done {
  const parsed = parsePath(path);
  if (!parsed.ok) return invalid('invalidPath', `path: ${parsed.error}`, 'path');
  const { name, where, sub } = parsed.value;
  const target = named(groupResource, sub === null ? name : `${name}.${sub}`);
  if (target === null || target.attribute === null) return done;
  const { attribute } = target;
  if (!isKept(attribute)) {
    return invalid('mutability', `${attribute.name}: is not the directory's to change`, attribute.name);
  }
  if (attribute !== members) return setHead(head, attribute, op === 'remove' ? null : value);
  // What is said of a member beside who it is follows from the user.
  if (target.sub !== null && target.sub.name !== 'value') return done;
  if (where === null) return changeMembers(changed, op, value);
  const condition = itemCondition(where, members);
  if (!condition.ok) return invalid('invalidFilter', `${path}: ${condition.error}`, 'path');
  const ids = idsIn(condition.value);
  if (ids === null) return invalid('invalidFilter', 'path: members are chosen by value eq "…"', 'path');
  if (op !== 'remove') return invalid('noTarget', 'path: add members with the path "members"', 'path');
  takeOut(changed, ids);
  return done;
}

/** Entra names those to remove in the value; without any, all are meant. */
function changeMembers(changed: Members, op: ScimOperation['op'], value: unknown): Done {
  const ids = memberIds(value);
  if (!ids.ok) return ids;
  if (op === 'remove' && value != null) {
    takeOut(changed, ids.value);
    return done;
  }
  if (op !== 'add') {
    changed.keep = false;
    changed.add.clear();
  }
  takeIn(changed, ids.value);
  return done;
}

/** The ids that a condition allows, where it names them. */
function idsIn(condition: Condition): readonly string[] | null {
  if ('any' in condition) {
    const each = condition.any.map(idsIn);
    return each.includes(null) ? null : each.flatMap((ids) => ids ?? []);
  }
  if (!('field' in condition) || condition.is !== 'eq' || condition.field.path[0] !== 'value') return null;
  return [condition.value];
}

function memberIds(value: unknown): Result<ReadonlySet<string>, ScimProblem> {
  const ids = new Set<string>();
  for (const member of Array.isArray(value) ? value : value == null ? [] : [value]) {
    const id = isMembers(member) ? idOf(member) : member;
    if (typeof id !== 'string' || id === '' || id.includes('\0') || !id.isWellFormed()) {
      return invalid('invalidValue', 'members: each has the id of a user as its value', 'members');
    }
    ids.add(id);
  }
  return ok(ids);
}

function idOf(member: object): unknown {
  return Object.entries(member).find(([name]) => name.toLowerCase() === 'value')?.[1];
}

function setHead(head: Head, attribute: ScimAttribute, given: unknown): Done {
  if (attribute.name !== 'displayName' && attribute.name !== 'externalId') return done;
  const read = readValue(attribute, given, attribute.name);
  if (!read.ok) return read;
  const text = read.value as string | undefined;
  if (attribute.name === 'displayName') head.displayName = text ?? '';
  else head.externalId = text ?? null;
  return done;
}

function withName(change: GroupChange): Result<GroupChange, ScimProblem> {
  const { displayName, externalId } = change;
  if (displayName.trim() === '') return invalid('invalidValue', 'displayName: is required', 'displayName');
  for (const [name, text] of Object.entries({ displayName, externalId: externalId ?? '' })) {
    if (text.length <= maxNameLength) continue;
    return invalid('invalidValue', `${name}: must have at most ${maxNameLength} characters`, name);
  }
  return ok(change);
}
