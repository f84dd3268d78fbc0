import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { z } from 'zod';
import type { Path } from './mistakes.ts';
import type { Tree } from './tree.ts';

/** Where references are looked up. */
export interface ReferenceSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What relative paths in `fromFile` start from. */
  readonly directory: string;
}

export interface Resolved {
  /** Plain values, ready for the schema. */
  readonly value: unknown;
  /** The paths whose values came through a reference: never to be printed. */
  readonly references: readonly Path[];
  readonly mistakes: readonly { readonly path: Path; readonly message: string }[];
}

const referenceKeys = ['fromEnv', 'fromFile', 'value'] as const;
const maxSecretBytes = 64 * 1024;
const forms = '{ fromEnv: NAME }, { fromFile: path } or { value: text }';

/**
 * Turns the tree into plain values. Where `schema` expects a string, a mapping with exactly one of `fromEnv`,
 * `fromFile` and `value` is replaced by the string it refers to; everywhere else mappings stay what they are, so an
 * argument or a secret that happens to be called `value` is no reference.
 */
export async function resolveReferences(
  tree: Tree,
  schema: z.ZodType,
  sources: ReferenceSources,
): Promise<Resolved> {
  const references: Path[] = [];
  const mistakes: { path: Path; message: string }[] = [];

  const resolveString = async (here: Tree, path: Path): Promise<unknown> => {
    if (here.kind === 'map') {
      references.push(path);
      const found = await lookUp(here, sources);
      if (found.text !== null) return found.text;
      mistakes.push({ path, message: found.message });
    } else if (here.kind === 'scalar' && (here.value === null || typeof here.value === 'string')) {
      return here.value;
    } else {
      const got = here.kind === 'scalar' ? `a ${typeof here.value}; put it in quotes` : 'a list';
      mistakes.push({ path, message: `expected a string, got ${got}` });
    }
    return undefined;
  };

  const resolve = async (here: Tree, expected: Schema, path: Path): Promise<unknown> => {
    if (expectsString(expected)) return resolveString(here, path);
    if (here.kind === 'scalar') return here.value;
    if (here.kind === 'list') {
      const items: unknown[] = [];
      for (const [index, item] of here.items.entries()) {
        items.push(await resolve(item, childOf(expected, index), [...path, index]));
      }
      return items;
    }
    const value: Record<string, unknown> = {};
    for (const [key, { tree: child }] of here.entries) {
      value[key] = await resolve(child, childOf(expected, key), [...path, key]);
    }
    return value;
  };

  return { value: await resolve(tree, schema as unknown as Schema, []), references, mistakes };
}

type Found = { readonly text: string } | { readonly text: null; readonly message: string };

async function lookUp(map: Tree & { kind: 'map' }, sources: ReferenceSources): Promise<Found> {
  const [key, ...others] = map.entries.keys();
  const entry = key === undefined ? undefined : map.entries.get(key);
  const kind = referenceKeys.find((known) => known === key);
  if (kind === undefined || entry === undefined || others.length > 0) {
    return { text: null, message: `expected a string, or exactly one of ${forms}` };
  }
  const given = entry.tree.kind === 'scalar' ? entry.tree.value : null;
  if (typeof given !== 'string' || given === '') {
    return { text: null, message: `expected a text for ${kind}` };
  }
  if (kind === 'value') return { text: given };
  if (kind === 'fromFile') return readSecretFile(given, sources.directory);
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(given)) {
    return { text: null, message: 'expected the name of an environment variable for fromEnv' };
  }
  const text = Object.hasOwn(sources.env, given) ? sources.env[given] : undefined;
  if (text === undefined || text === '') {
    return { text: null, message: `expected environment variable ${given} to be set and not empty` };
  }
  return { text };
}

async function readSecretFile(name: string, directory: string): Promise<Found> {
  const fail = (what: string): Found => ({ text: null, message: `expected file ${name} ${what}` });
  try {
    const path = isAbsolute(name) ? name : join(directory, name);
    const found = await stat(path);
    if (!found.isFile()) return fail('to be a regular file');
    if (found.size > maxSecretBytes) return fail(`to hold at most ${maxSecretBytes / 1024} KiB`);
    const bytes = await readFile(path);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
    return text === '' ? fail('not to be empty') : { text };
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return fail('to exist');
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return fail('to be UTF-8 text');
    return fail(`to be readable (${code ?? 'unknown error'})`);
  }
}

type Schema = z.core.$ZodTypes | undefined;

function unwrap(schema: Schema): Schema {
  let here = schema;
  for (;;) {
    const def = here?._zod.def;
    if (def?.type === 'pipe') here = def.in as Schema;
    else if (def !== undefined && 'innerType' in def) here = def.innerType as Schema;
    else return here;
  }
}

function expectsString(schema: Schema): boolean {
  const type = unwrap(schema)?._zod.def.type;
  return type === 'string' || type === 'enum';
}

function childOf(schema: Schema, key: string | number): Schema {
  const def = unwrap(schema)?._zod.def;
  if (def?.type === 'array' && typeof key === 'number') return def.element as Schema;
  if (def?.type === 'record') return def.valueType as Schema;
  if (def?.type === 'object' && Object.hasOwn(def.shape, key)) return def.shape[key] as Schema;
  return undefined;
}

/** The keys that the schema knows at `path`; empty where it takes any. */
export function knownKeys(schema: z.ZodType, path: Path): readonly string[] {
  let here = schema as unknown as Schema;
  for (const key of path) here = childOf(here, key as string | number);
  const def = unwrap(here)?._zod.def;
  return def?.type === 'object' ? Object.keys(def.shape) : [];
}
