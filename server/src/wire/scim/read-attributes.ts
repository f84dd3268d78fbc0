import type { ScimAttribute } from '@sallyport/contracts';
import { isMembers, ok, type Result } from '#foundation';
import { invalid, type ScimProblem } from './problem.ts';
import { attributeIn } from './resource-schema.ts';

const maxItems = 200;

export type Attributes = { [name: string]: unknown };

/**
 * What is said of attributes that are known, under their right names. What is not known, or not the directory's to say, is
 * left out, and nothing is said of what is null or empty.
 */
export function readAttributes(
  attributes: readonly ScimAttribute[],
  given: object,
  at = '',
): Result<Attributes, ScimProblem> {
  const read: Attributes = {};
  for (const [name, value] of Object.entries(given)) {
    const attribute = attributeIn(attributes, name);
    if (attribute === null || !isKept(attribute)) continue;
    const one = readValue(attribute, value, at + attribute.name);
    if (!one.ok) return one;
    if (one.value !== undefined) read[attribute.name] = one.value;
  }
  return ok(read);
}

/** What a directory may say, and we keep. */
export function isKept({ mutability, returned }: ScimAttribute): boolean {
  return mutability !== 'readOnly' && returned !== 'never';
}

/** `undefined`: nothing is said. */
export function readValue(
  attribute: ScimAttribute,
  given: unknown,
  at: string,
): Result<unknown, ScimProblem> {
  if (given === null || given === undefined) return ok(undefined);
  if (!attribute.multiValued) return readOne(attribute, given, at);
  const list = Array.isArray(given) ? given : [given];
  if (list.length > maxItems) return invalid('invalidValue', `${at}: has more than ${maxItems} values`, at);
  const items: unknown[] = [];
  for (const [index, value] of list.entries()) {
    const item = readOne(attribute, value, `${at}[${index}]`);
    if (!item.ok) return item;
    if (item.value !== undefined) items.push(item.value);
  }
  if (items.filter((item) => (item as Attributes).primary === true).length > 1) {
    return invalid('invalidValue', `${at}: more than one is the primary one`, at);
  }
  return ok(items.length === 0 ? undefined : items);
}

function readOne(attribute: ScimAttribute, given: unknown, at: string): Result<unknown, ScimProblem> {
  if (given === null || given === undefined) return ok(undefined);
  if (attribute.type === 'complex') return readParts(attribute, given, at);
  if (attribute.type === 'boolean') {
    const told = typeof given === 'object' ? '' : String(given).toLowerCase();
    if (told === 'true' || told === 'false') return ok(told === 'true');
    return invalid('invalidValue', `${at}: must be true or false`, at);
  }
  if (typeof given === 'object') return invalid('invalidValue', `${at}: must be a text`, at);
  const text = String(given);
  if (text.includes('\0') || !text.isWellFormed()) {
    return invalid('invalidValue', `${at}: must not hold a NUL character or half a surrogate pair`, at);
  }
  return ok(text);
}

/** Some directories say a value alone where it could have parts: `"manager": "usr_…"`. */
function readParts(
  { subAttributes = [] }: ScimAttribute,
  given: unknown,
  at: string,
): Result<unknown, ScimProblem> {
  const parts = isMembers(given) ? given : { value: given };
  if (!isMembers(given) && (typeof given === 'object' || attributeIn(subAttributes, 'value') === null)) {
    return invalid('invalidValue', `${at}: must be an object`, at);
  }
  const read = readAttributes(subAttributes, parts, `${at}.`);
  return read.ok && Object.keys(read.value).length === 0 ? ok(undefined) : read;
}
