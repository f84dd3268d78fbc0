import { badRequest } from './api-fault.ts';
import type { Json } from './json.ts';

/** Whether labels have each label of a selector. */
export function matches(labels: Json, selector: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).every(([label, value]) => labels?.[label] === value);
}

/** Whether labels fit the selector of a workload. */
export function selects({ matchLabels = {}, matchExpressions = [] }: Json, labels: Json): boolean {
  const texts = (matchExpressions as Json[]).map(({ key, operator, values = [] }) => {
    if (operator === 'Exists' || operator === 'DoesNotExist') return operator === 'Exists' ? key : `!${key}`;
    return `${key} ${operator.toLowerCase()} (${values.join(',')})`;
  });
  return matches(labels, matchLabels) && labelFilter(texts.join())({ metadata: { labels } });
}

/** `a=b,c!=d,e,!f,g in (h, i)` as a test of an object. */
export function labelFilter(text: string): (object: Json) => boolean {
  const tests = splitOutside(text).map((part) => {
    const set = /^(\S+)\s+(in|notin)\s+\((.*)\)$/.exec(part);
    if (set !== null) {
      const [, label, how, list] = set as unknown as [string, string, string, string];
      const values = list.split(',').map((value) => value.trim());
      return (labels: Json) => values.includes(labels[label]) === (how === 'in');
    }
    const pair = /^([^=!]+)(!=|==|=)(.*)$/.exec(part);
    if (pair !== null) {
      const [, label, how, value] = pair as unknown as [string, string, string, string];
      return (labels: Json) => (labels[label] === value) === (how !== '!=');
    }
    return part.startsWith('!')
      ? (labels: Json) => !(part.slice(1) in labels)
      : (labels: Json) => part in labels;
  });
  return (object) => tests.every((test) => test(object.metadata.labels ?? {}));
}

function splitOutside(text: string): string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** `metadata.name=x,involvedObject.uid!=y` as a test of an object. */
export function fieldFilter(text: string): (object: Json) => boolean {
  const tests = splitOutside(text).map((part) => {
    const pair = /^([A-Za-z.]+)(!=|==|=)(.*)$/.exec(part);
    if (pair === null) throw badRequest(`invalid field selector ${part}`);
    const [, path, how, value] = pair as unknown as [string, string, string, string];
    return (object: Json) => {
      const found = path.split('.').reduce((at: Json, field) => at?.[field], object);
      return (String(found ?? '') === value) === (how !== '!=');
    };
  });
  return (object) => tests.every((test) => test(object));
}
