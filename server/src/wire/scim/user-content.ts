import { isMembers, ok, type Result } from '#foundation';
import type { UserContent } from '#identity';
import { invalid, type ScimProblem } from './problem.ts';
import { type Attributes, readAttributes } from './read-attributes.ts';
import { attributesOf, userResource } from './resource-schema.ts';

const maxNameLength = 256;
/** Characters of JSON that are kept of a user. */
const maxSize = 64 * 1024;

/** What a directory says of a user; `active` is one of the attributes, where it says that. */
export function readUser(body: object): Result<Attributes, ScimProblem> {
  const core = readAttributes(attributesOf(userResource.core), body);
  if (!core.ok) return core;
  for (const { id, attributes } of userResource.extensions) {
    const said = Object.entries(body).find(([name]) => name.toLowerCase() === id.toLowerCase())?.[1];
    if (!isMembers(said)) continue;
    const read = readAttributes(attributes, said, `${id}:`);
    if (!read.ok) return read;
    if (Object.keys(read.value).length > 0) core.value[id] = read.value;
  }
  return core;
}

/** What it comes to. Where it does not say whether they are active, they are as they were. */
export function userContent(
  { active, ...attributes }: Attributes,
  wasActive: boolean,
): Result<UserContent, ScimProblem> {
  const userName = attributes.userName;
  if (typeof userName !== 'string' || userName.trim() === '') {
    return invalid('invalidValue', 'userName: is required', 'userName');
  }
  for (const name of ['userName', 'externalId']) {
    if (String(attributes[name] ?? '').length <= maxNameLength) continue;
    return invalid('invalidValue', `${name}: must have at most ${maxNameLength} characters`, name);
  }
  if (JSON.stringify(attributes).length > maxSize) {
    return invalid('invalidValue', `the user has more than ${maxSize} characters`);
  }
  return ok({
    userName,
    externalId: (attributes.externalId as string | undefined) ?? null,
    active: (active as boolean | undefined) ?? wasActive,
    email: addressIn(attributes),
    name: nameIn(attributes) ?? userName,
    attributes,
  });
}

/** The primary address, else the one for work, else any, else a user name that is one. */
function addressIn({ emails = [], userName }: Attributes): string {
  const list = emails as readonly Attributes[];
  const ofWork = list.find(({ type }) => String(type).toLowerCase() === 'work');
  const best = list.find(({ primary }) => primary === true) ?? ofWork ?? list[0];
  return [best?.value, userName].map((value) => String(value ?? '')).find((text) => text.includes('@')) ?? '';
}

function nameIn({ displayName, name }: Attributes): string | null {
  const parts = (name ?? {}) as Attributes;
  const whole = [parts.givenName, parts.familyName].filter((part) => part !== undefined && part !== '');
  const names = [displayName, parts.formatted, whole.join(' ')];
  const found = names.find((text) => typeof text === 'string' && text.trim() !== '');
  return found === undefined ? null : String(found).slice(0, maxNameLength).toWellFormed();
}
