import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { RE2JS } from 're2js';
import { type JsonSchema, type Refusal, refusal, type ToolCuration } from '#domain';
import { err, inTime, isHeavierThan, ok, type Result } from '#foundation';
import { type CheckCost, checkCost } from './check-cost.ts';

type Arguments = { readonly [name: string]: unknown };

/** Schemas beyond this are not compiled: the source checks its own arguments. */
const maxSchemaText = 256 * 1024;

/** A source's `pattern` must not be able to stall us, so it runs in linear time. */
function linearRegExp(pattern: string) {
  const compiled = RE2JS.compile(pattern);
  // Ajv takes two patterns with the same text for one, so the text must be the pattern.
  return { test: (text: string) => compiled.matcher(text).find(), toString: () => pattern };
}
linearRegExp.code = 'linearRegExp';

const options = {
  strict: false,
  validateFormats: false,
  validateSchema: false,
  logger: false,
  code: { regExp: linearRegExp },
} as const;

/** Longest that compiling a schema, and checking one call against it, may hold up everybody else. */
const compileMs = 1000;
const checkMs = 100;

/** Arguments up to this weight are checked unwatched even where the time grows with their text. */
const lightUpTo = 2048;

type Check = (args: Arguments) => readonly ErrorObject[];

const compiled = new WeakMap<JsonSchema, Check | null>();
/** By what the schema is known by: those that were used last, and as many before them. */
let compiledByKey = new Map<string, Check | null>();
let compiledBefore = new Map<string, Check | null>();
const maxByKey = 1000;

/**
 * The validator of a schema, compiled on first use; `null` where it cannot be compiled (a reference to the network, a
 * dialect we do not know, too large): then the source itself is the one to refuse.
 */
function checkOf(schema: JsonSchema, key: string | null): Check | null {
  if (key === null) return checkOfObject(schema);
  let check = compiledByKey.get(key);
  if (check !== undefined) return check;
  check = compiledBefore.get(key) ?? null;
  if (!compiledBefore.has(key)) check = checkOfObject(schema);
  if (compiledByKey.size >= maxByKey) {
    compiledBefore = compiledByKey;
    compiledByKey = new Map();
  }
  compiledByKey.set(key, check);
  return check;
}

function checkOfObject(schema: JsonSchema): Check | null {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const text = JSON.stringify(schema);
  const validate = text.length <= maxSchemaText ? compile(schema) : null;
  const check = validate === null ? null : boundedCheck(validate, checkCost(schema, text));
  compiled.set(schema, check);
  return check;
}

function boundedCheck(validate: ValidateFunction, cost: CheckCost): Check {
  const run: Check = (args) => (validate(args) ? [] : (validate.errors ?? []));
  const runWatched: Check = (args) => inTime(checkMs, () => run(args));
  if (cost === 'plain') return run;
  if (cost === 'unbounded') return runWatched;
  return (args) => (isHeavierThan(args, lightUpTo) ? runWatched(args) : run(args));
}

function compile(schema: JsonSchema): ValidateFunction | null {
  const old = typeof schema.$schema === 'string' && /draft-0[4-7]/.test(schema.$schema);
  // One instance a schema: an instance remembers all it compiled, so a shared one would only grow.
  const ajv = old ? new Ajv(options) : new Ajv2020(options);
  // An asynchronous validator would take everything, and end the process with what it refuses too late.
  const { $schema: _dialect, $async: _never, ...body } = schema;
  try {
    return inTime(compileMs, () => ajv.compile(body));
  } catch {
    return null;
  }
}

/**
 * Checks a caller's arguments against the tool's schema, after the gateway's defaults and fixed arguments are in. `key`: what has
 * the same is checked by the same schema, whichever object that is.
 */
export function checkArguments(
  schema: JsonSchema,
  curation: ToolCuration['arguments'] | null,
  given: Arguments,
  key: string | null = null,
): Result<Arguments, Refusal> {
  let args = given;
  if (curation !== null) {
    for (const name of Object.keys(given)) {
      if (Object.hasOwn(curation.fixed, name) || curation.hidden.includes(name)) {
        return err(invalid(`arguments.${name}`, 'is not an argument of this tool'));
      }
    }
    args = { ...curation.defaults, ...given, ...curation.fixed };
  }
  const problem = problemOf(schema, args, key);
  if (problem === null) return ok(args);
  return err(curation === null ? problem : withoutOurs(problem, curation, given));
}

/** A caller is not told of an argument that it may not send: the fault is the gateway's. */
function withoutOurs(problem: Refusal, curation: ToolCuration['arguments'], given: Arguments): Refusal {
  const name = problem.field?.split('.')[1] ?? '';
  const ours = [...Object.keys(curation.fixed), ...Object.keys(curation.defaults), ...curation.hidden];
  if (Object.hasOwn(given, name) || !ours.includes(name)) return problem;
  const message = 'an argument that this gateway sets does not fit the tool: whoever set it up must mend it';
  return refusal('catalog.arguments_invalid', message, { reason: problem.message });
}

function problemOf(schema: JsonSchema, args: Arguments, key: string | null): Refusal | null {
  const check = checkOf(schema, key);
  if (check === null) return null;
  try {
    const [first] = check(args);
    if (first === undefined) return null;
    const without = withoutNulls(schema, args);
    return without !== null && check(without).length === 0 ? null : describe(first);
  } catch {
    return invalid('arguments', 'could not be checked in time against the schema of the tool');
  }
}

/** Many callers write null for what they leave out; `null` where there is nothing of the kind. */
function withoutNulls({ properties, required }: JsonSchema, args: Arguments): Arguments | null {
  const isOptional = (name: string) =>
    Object.hasOwn((properties ?? {}) as object, name) &&
    !(Array.isArray(required) && required.includes(name));
  const kept = Object.entries(args).filter(([name, value]) => value !== null || !isOptional(name));
  return kept.length === Object.keys(args).length ? null : Object.fromEntries(kept);
}

function describe(error: ErrorObject): Refusal {
  const at = `arguments${error.instancePath.replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~')}`;
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'required':
      return invalid(`${at}.${params.missingProperty}`, 'is missing');
    case 'additionalProperties':
      return invalid(`${at}.${params.additionalProperty}`, 'is not an argument of this tool');
    case 'unevaluatedProperties':
      return invalid(`${at}.${params.unevaluatedProperty}`, 'is not an argument of this tool');
    case 'enum':
      return invalid(at, `must be one of ${JSON.stringify(params.allowedValues)}`);
    default:
      return invalid(at, error.message ?? 'does not fit the schema');
  }
}

function invalid(field: string, problem: string): Refusal {
  return refusal('catalog.arguments_invalid', `${field} ${problem}`, { field });
}

/** The schema that a gateway shows: without fixed and hidden arguments, with the gateway's defaults in place. */
export function shownSchema(schema: JsonSchema, curation: ToolCuration['arguments'] | null): JsonSchema {
  if (curation === null) return schema;
  const gone = new Set([...Object.keys(curation.fixed), ...curation.hidden]);
  const optional = new Set([...gone, ...Object.keys(curation.defaults)]);
  if (optional.size === 0) return schema;
  const properties: Record<string, unknown> = {};
  for (const [name, property] of Object.entries((schema.properties ?? {}) as Record<string, unknown>)) {
    if (gone.has(name)) continue;
    const withDefault =
      Object.hasOwn(curation.defaults, name) && typeof property === 'object' && property !== null;
    properties[name] = withDefault ? { ...property, default: curation.defaults[name] } : property;
  }
  const { required: before, ...rest } = schema;
  const required = Array.isArray(before) ? before.filter((name) => !optional.has(name)) : [];
  return { ...rest, properties, ...(required.length > 0 ? { required } : {}) };
}
