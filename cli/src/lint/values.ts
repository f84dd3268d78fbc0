import { isMapping, type Mapping } from '../files/values.ts';

/** Reads values of documents that anybody wrote: what is not of the kind that is asked for is as good as not there. */

const none: Mapping = Object.freeze({});

export function mapping(value: unknown): Mapping {
  return isMapping(value) ? value : none;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Its entries with texts as values: labels, annotations, selectors. */
export function texts(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(mapping(value)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** Whether every pair of the selector is among the labels. */
export function selects(selector: Mapping, labels: Mapping): boolean {
  return Object.entries(selector).every(([label, value]) => labels[label] === value);
}
