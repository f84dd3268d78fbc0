import { embedded, type Trail } from './json/walk.ts';
import type { Finder } from './pattern.ts';

const maxName = 64;
const maxSteps = 32;

/** A place as the audit keeps it: `arguments.note`, `content[0].text → $.customer.ssn`. A name that is itself a find is `*`. */
export function placeOf(at: string, trail: Trail, isFind: (name: string) => boolean): string {
  let place = at;
  for (const [nth, step] of trail.slice(0, maxSteps).entries()) {
    if (step === embedded) place += ' → $';
    else if (typeof step === 'number') place += `[${step}]`;
    else {
      const name = nameOf(step, isFind);
      place += name.startsWith('[') || place === '' ? name : `.${name}`;
    }
    if (nth === maxSteps - 1) place += '…';
  }
  return place === '' ? '$' : place;
}

function nameOf(name: string, isFind: (name: string) => boolean): string {
  if (name.length > maxName || /\p{Cc}/u.test(name) || isFind(name)) return '*';
  return /^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(name) ? name : `[${JSON.stringify(name)}]`;
}

/** Whether one of the finders, or a text that was taken out, is in a name. */
export function findsIn(
  finders: readonly Finder[],
  taken: readonly ReadonlySet<string>[],
): (name: string) => boolean {
  return (name) =>
    finders.some((finder) => finder.find(name, '').length > 0) ||
    taken.some((texts) => [...texts].some((text) => name.includes(text)));
}
