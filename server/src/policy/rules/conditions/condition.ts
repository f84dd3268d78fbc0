import { type Context, Environment } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import { type Refusal, refusal } from '#domain';
import { err, Fault, inTime, messageOf, ok, type Result } from '#foundation';
import type { RuleFacts } from '../contract.ts';
import { prepareExpression } from './condition-expression.ts';
import { factsOf } from './condition-facts.ts';

/** A condition of a rule, in CEL. */
export interface Condition {
  /** Claims that it goes by. */
  readonly claimNames: readonly string[];
  /** An error tells what could not be evaluated, and nothing of what was given. Never throws. */
  evaluate(facts: RuleFacts): Result<boolean, string>;
}

const limits = { maxAstNodes: 500, maxDepth: 50, maxListElements: 200, maxMapEntries: 100 };

const environment = new Environment({ unlistedVariablesAreDyn: false, limits })
  .registerVariable('user', 'string')
  .registerVariable('groups', 'list<string>')
  .registerVariable('claims', 'map<string, dyn>')
  .registerVariable('client', 'string')
  .registerVariable('gateway', 'string')
  .registerVariable('arguments', 'map<string, dyn>')
  .registerVariable('time', 'google.protobuf.Timestamp')
  .registerVariable('tool', {
    schema: {
      name: 'string',
      source: 'string',
      read_only: 'bool',
      destructive: 'bool',
      idempotent: 'bool',
      open_world: 'bool',
      operations: 'list<string>',
      service_domains: 'list<string>',
    },
  })
  // The library's own matches() takes a text for a pattern and can be stalled: no text ever reaches it.
  .registerType('Pattern', RE2JS)
  .registerFunction('string.matches(Pattern): bool', (text: string, pattern: RE2JS) =>
    pattern.matcher(text).find(),
  );

/** Longest that one condition may hold up everybody else. */
const evaluationMs = 100;

/** Refused with the position of what is wrong. */
export function compileCondition(text: string): Result<Condition, Refusal> {
  try {
    const run = environment.parse(text);
    const prepared = prepareExpression(run.ast);
    if (!prepared.ok) return err(refused(prepared.error.message, prepared.error.at));
    const { valid, type, error } = run.check();
    if (!valid) return err(refusedFor(error));
    if (type !== 'bool' && !type?.startsWith('dyn')) return err(refused(`is ${type}, and must be bool`, 0));
    return ok({
      claimNames: prepared.value.claimNames,
      evaluate: (facts) => evaluate(run, facts),
    });
  } catch (error) {
    return err(refusedFor(error));
  }
}

function evaluate(run: (facts: Context) => unknown, facts: RuleFacts): Result<boolean, string> {
  try {
    const { values, heavy } = factsOf(facts);
    const value = heavy ? inTime(evaluationMs, () => run(values)) : run(values);
    return typeof value === 'boolean' ? ok(value) : err('did not come to true or false');
  } catch (error) {
    return err(failureOf(error));
  }
}

interface CelError {
  readonly code: string;
  readonly summary: string;
  readonly range?: { readonly start: number };
  readonly node?: { readonly op?: string };
}

function isCelError(error: unknown): error is CelError {
  return error instanceof Error && 'summary' in error && typeof error.summary === 'string';
}

function refusedFor(error: unknown): Refusal {
  if (isCelError(error)) return refused(inWords(error.summary), error.range?.start ?? 0);
  return refused(error instanceof RangeError ? 'is nested too deeply' : messageOf(error), 0);
}

/** The library writes a type of ours with a dollar; and who sees `user` and `gateway` takes `tool` for a text, too. */
function inWords(problem: string): string {
  return problem.includes('$tool')
    ? `${problem.replaceAll('$tool', 'tool')}; its name is tool.name`
    : problem;
}

function refused(problem: string, at: number): Refusal {
  const message = `condition: character ${at + 1}: ${problem.replaceAll(/\s+/g, ' ')}`;
  return refusal('request.params_invalid', message, { field: 'condition' });
}

/** Errors that speak of types only. */
const valueless = new Set(['no_such_overload', 'no_matching_overload', 'invalid_logical_operand']);

/** What went wrong, without what was given: of the library's messages, only those that cannot hold it. */
function failureOf(error: unknown): string {
  if (!isCelError(error)) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      return `took longer than ${evaluationMs} ms`;
    return error instanceof Fault ? error.message : 'could not be evaluated';
  }
  const { code, summary, range, node } = error;
  // After a dot stands a name of the condition's own text; between brackets may stand what was given.
  const isTold = valueless.has(code) || (code === 'no_such_key' && node?.op === '.');
  const told = isTold ? summary : code.replaceAll('_', ' ');
  return range === undefined ? told : `character ${range.start + 1}: ${told}`;
}
