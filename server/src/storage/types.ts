/** PostgreSQL's numbers for the types whose values we read in our own way. */
const oid = { int8: 20, json: 114, date: 1082, timestamp: 1114, timestamptz: 1184, jsonb: 3802 } as const;

/** How both drivers read values that they would otherwise read each in its own way. */
export const parsers: Readonly<Record<number, (text: string) => unknown>> = {
  [oid.int8]: Number,
  [oid.date]: (text) => text,
  [oid.timestamp]: (text) => text,
  [oid.timestamptz]: isoOf,
};

/** Refuses what `pg` would send as an SQL array, so that both drivers take the same parameters. */
export const serializers: Readonly<Record<number, (value: unknown) => string>> = {
  [oid.json]: jsonText,
  [oid.jsonb]: jsonText,
};

function isoOf(text: string): string {
  const withMinutes = /[+-]\d\d$/.test(text) ? `${text}:00` : text;
  const time = new Date(withMinutes.replace(' ', 'T'));
  return Number.isNaN(time.getTime()) ? text : time.toISOString();
}

function jsonText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) throw new TypeError('Pass an array for a json parameter as JSON text');
  return JSON.stringify(value);
}
