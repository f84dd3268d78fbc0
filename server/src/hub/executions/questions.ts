import { type InputRequest, type Refusal, refusal } from '#domain';
import { err, isMembers, type Members, ok, type Result } from '#foundation';

/** What the answer to one question must be, in words. */
const shape =
  'must be an object with an action: "accept", "decline" or "cancel"; with "accept" of a form, its content';
const actions: ReadonlySet<unknown> = new Set(['accept', 'decline', 'cancel']);
const maxAnswerText = 64 * 1024;

/** Holds the answers to the questions; an error names the field. */
export function checkAnswers(
  requests: { readonly [key: string]: InputRequest },
  response: Members,
): Result<Members, Refusal> {
  if (JSON.stringify(response).length > maxAnswerText) return invalid('response', 'is larger than 64 KiB');
  for (const key of Object.keys(response)) {
    if (Object.hasOwn(requests, key)) continue;
    const keys = Object.keys(requests).map((asked) => JSON.stringify(asked));
    return invalid(
      `response.${named(key)}`,
      `answers no question; there are ${short(keys.join(', ') || 'none')}`,
    );
  }
  for (const [key, { params }] of Object.entries(requests)) {
    const at = `response.${key}`;
    const answer = Object.hasOwn(response, key) ? response[key] : undefined;
    if (answer === undefined) return invalid(at, `is missing; it ${shape}`);
    if (!isMembers(answer) || !actions.has(answer.action)) return invalid(at, shape);
    const isForm = params?.mode !== 'url' && answer.action === 'accept';
    const problem = isForm ? problemOfForm(`${at}.content`, params?.requestedSchema, answer.content) : null;
    if (problem !== null) return problem;
  }
  return ok(response);
}

function problemOfForm(at: string, schema: unknown, content: unknown): Result<never, Refusal> | null {
  if (!isMembers(content)) return invalid(at, 'must be an object with the fields of the form');
  if (!isMembers(schema)) return null;
  const properties = isMembers(schema.properties) ? schema.properties : {};
  for (const name of Array.isArray(schema.required) ? schema.required : [])
    if (!Object.hasOwn(content, String(name))) return invalid(`${at}.${name}`, 'is missing');
  for (const [name, value] of Object.entries(content)) {
    const field = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (field === undefined) return invalid(`${at}.${named(name)}`, 'is no field of the form');
    const problem = isMembers(field) ? problemOfField(field, value) : null;
    if (problem !== null) return invalid(`${at}.${name}`, problem);
  }
  return null;
}

/** Forms hold plain values, and lists of texts to choose from. */
function problemOfField(field: Members, value: unknown): string | null {
  const choices = choicesOf(field);
  if (choices !== null && !choices.includes(value)) return `must be one of ${short(JSON.stringify(choices))}`;
  switch (field.type) {
    case 'string':
      return typeof value === 'string'
        ? outside(value.length, field, 'Length', 'characters')
        : 'must be a text';
    case 'integer':
      return Number.isInteger(value) ? outside(value as number, field, 'imum') : 'must be a whole number';
    case 'number':
      return typeof value === 'number' ? outside(value, field, 'imum') : 'must be a number';
    case 'boolean':
      return typeof value === 'boolean' ? null : 'must be true or false';
    case 'array':
      return problemOfList(field, value);
    default:
      return null;
  }
}

function problemOfList(field: Members, value: unknown): string | null {
  if (!Array.isArray(value)) return 'must be a list';
  const choices = isMembers(field.items) ? choicesOf(field.items) : null;
  if (choices !== null && !value.every((one) => choices.includes(one)))
    return `must hold only ${short(JSON.stringify(choices))}`;
  return outside(value.length, field, 'Items', 'items');
}

function choicesOf(field: Members): readonly unknown[] | null {
  if (Array.isArray(field.enum)) return field.enum;
  const listed = field.oneOf ?? field.anyOf;
  return Array.isArray(listed) ? listed.flatMap((one) => (isMembers(one) ? [one.const] : [])) : null;
}

/** Errors are kept in the audit log; where somebody put their answer for its name, it is to hold as little of it as tells them. */
const named = (name: string): string => (name.length <= 40 ? name : `${name.slice(0, 40)}…`);
const short = (text: string): string => (text.length <= 2000 ? text : `${text.slice(0, 2000)}…`);

function outside(count: number, field: Members, name: string, unit = ''): string | null {
  const [least, most] = [field[`min${name}`], field[`max${name}`]];
  if (typeof least === 'number' && count < least) return `must be at least ${least} ${unit}`.trim();
  if (typeof most === 'number' && count > most) return `must be at most ${most} ${unit}`.trim();
  return null;
}

function invalid(field: string, problem: string): Result<never, Refusal> {
  return err(refusal('request.params_invalid', `${field}: ${problem}`, { field }));
}
