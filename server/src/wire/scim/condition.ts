import type { ScimAttribute } from '@sallyport/contracts';
import { err, ok, type Result } from '#foundation';
import { type Condition, type Field, never } from '#identity';
import type { Literal } from './filter-cursor.ts';
import { parseFilter, type Syntax } from './filter-syntax.ts';
import { attributeIn, type Named, named, type ResourceSchema } from './resource-schema.ts';

/** What a filter asks of these resources, or what is wrong with it. Nothing has an attribute that is unknown. */
export function conditionOf(filter: string, schema: ResourceSchema): Result<Condition, string> {
  const parsed = parseFilter(filter);
  return parsed.ok ? meaning(parsed.value, (name) => known(named(schema, name))) : parsed;
}

/** What is asked of the items of a list. */
export function itemCondition(syntax: Syntax, list: ScimAttribute): Result<Condition, string> {
  return meaning(syntax, (name) => {
    const sub = attributeIn(list.subAttributes ?? [], name);
    return sub === null ? null : { field: fieldOf([sub.name], sub, false), attribute: sub };
  });
}

interface Known {
  readonly field: Field;
  readonly attribute: ScimAttribute;
}

type Lookup = (name: string) => Known | null;

/** `null` for what is never told, too: nothing can be found out about it. */
function known(name: Named | null): Known | null {
  if (name === null || name.attribute === null) return null;
  const { extension, attribute, sub } = name;
  if (attribute.returned === 'never') return null;
  const path = [...(extension === null ? [] : [extension.id]), attribute.name];
  if (sub === null) return { field: fieldOf(path, attribute, attribute.multiValued), attribute };
  return { field: fieldOf([...path, sub.name], sub, attribute.multiValued), attribute: sub };
}

function fieldOf(path: readonly string[], { type, caseExact }: ScimAttribute, list: boolean): Field {
  const types = { boolean: 'boolean', dateTime: 'time', complex: 'object' } as const;
  return { path, type: type in types ? types[type as keyof typeof types] : 'text', exact: caseExact, list };
}

function meaning(syntax: Syntax, lookup: Lookup): Result<Condition, string> {
  if ('all' in syntax) return each(syntax.all, lookup, (all) => ({ all }));
  if ('any' in syntax) return each(syntax.any, lookup, (any) => ({ any }));
  if ('not' in syntax) return each([syntax.not], lookup, ([not]) => ({ not: not as Condition }));
  if ('present' in syntax) {
    const found = lookup(syntax.present);
    return ok(found === null ? never : { present: found.field });
  }
  if ('items' in syntax) {
    const found = lookup(syntax.items);
    if (found === null) return ok(never);
    if (!found.attribute.multiValued) return err(`${syntax.items} is no list`);
    const where = itemCondition(syntax.where, found.attribute);
    return where.ok ? ok({ some: found.attribute.name, where: where.value }) : where;
  }
  const found = lookup(syntax.name);
  if (found === null) return ok(syntax.is === 'ne' ? { not: never } : never);
  const compared = withValue(found);
  return compared === null
    ? err(`${syntax.name} has parts: compare one of them`)
    : comparison(compared, syntax.is, syntax.value, syntax.name);
}

function each(
  syntaxes: readonly Syntax[],
  lookup: Lookup,
  join: (conditions: readonly Condition[]) => Condition,
): Result<Condition, string> {
  const conditions: Condition[] = [];
  for (const syntax of syntaxes) {
    const condition = meaning(syntax, lookup);
    if (!condition.ok) return condition;
    conditions.push(condition.value);
  }
  return ok(join(conditions));
}

/** `emails eq "a@b"` compares their values. */
function withValue({ field, attribute }: Known): Known | null {
  if (attribute.type !== 'complex') return { field, attribute };
  const value = attributeIn(attribute.subAttributes ?? [], 'value');
  if (value === null) return null;
  return { field: fieldOf([...field.path, value.name], value, field.list), attribute: value };
}

function comparison(
  { field }: Known,
  is: Extract<Condition, { field: Field }>['is'],
  value: Literal,
  name: string,
): Result<Condition, string> {
  if (value === null) {
    if (is === 'eq') return ok({ not: { present: field } });
    return is === 'ne' ? ok({ present: field }) : err(`${name}: only eq and ne compare with null`);
  }
  const text = String(value);
  if (text.includes('\0') || !text.isWellFormed())
    return err(`${name}: a value has characters that are none`);
  if (field.type === 'boolean') {
    const folded = text.toLowerCase();
    if (!['true', 'false'].includes(folded)) return err(`${name} is true or false`);
    return ['eq', 'ne'].includes(is)
      ? ok({ field, is, value: folded })
      : err(`${name} is true or false: compare it with eq or ne`);
  }
  if (field.type === 'time') {
    const ms = Date.parse(text);
    if (Number.isNaN(ms) || !/^\d{4}-/.test(text)) return err(`${name} is a date and time, as in RFC 3339`);
    return ['co', 'sw', 'ew'].includes(is)
      ? err(`${name} is a time: compare it with eq, ne, gt, ge, lt or le`)
      : ok({ field, is, value: new Date(ms).toISOString() });
  }
  return ok({ field, is, value: text });
}

/** What a list can be sorted by. */
export function sortField(name: string, schema: ResourceSchema): Field | null {
  const found = known(named(schema, name));
  return found === null || found.field.list || found.field.type === 'object' ? null : found.field;
}
