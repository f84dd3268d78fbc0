import { eachJsonItem, jsonMembers } from '#foundation';

/** Thrown by whoever reads an array that is none. */
export const notAnArray = new SyntaxError('not a JSON array');

/**
 * The items of a JSON array, each parsed when it is its turn: a long list is never there as a whole, and does not hold up
 * everybody else. Throws `notAnArray` on the way where it turns out to be none.
 */
export function* arrayItems(json: Buffer): Generator<unknown> {
  if (!/^[ \n\r\t]*\[/.test(json.toString('latin1', 0, 1000))) throw notAnArray;
  const items = eachJsonItem(json);
  for (;;) {
    const next = items.next();
    if (next.done === true) {
      if (next.value === null || /[^ \n\r\t]/.test(json.toString('latin1', next.value))) throw notAnArray;
      return;
    }
    const { start, end } = next.value;
    yield parsed(json.toString('utf8', start, end));
  }
}

/** Of a JSON object that is known to be one, the items of an array; of several members of that name, the last. */
export function memberItems(json: Buffer, name: string): Generator<unknown> {
  const member = jsonMembers(json).findLast((member) => member.name === name);
  return arrayItems(json.subarray(member?.valueStart ?? json.length, member?.end));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notAnArray;
  }
}
