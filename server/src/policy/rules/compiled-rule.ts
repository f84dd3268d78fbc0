import type { RuleRequest } from '@sallyport/contracts';
import { type Refusal, refusal } from '#domain';
import type { Entry } from '../entries.ts';
import { type Condition, compileCondition } from './conditions/condition.ts';
import { detectors } from './detectors/detectors.ts';
import { parseJsonPath, type SyntaxProblem } from './json/json-path.ts';
import { compilePattern } from './pattern.ts';
import type { Sought } from './prefilter.ts';

/** A rule, ready to be evaluated; or the reason why it cannot be. */
export interface CompiledRule {
  readonly entry: Entry<RuleRequest>;
  /** `null`: it is about the whole, whatever that holds. */
  readonly sought: Sought | null;
  readonly condition: Condition | null;
  readonly broken: string | null;
}

let compiled = new WeakMap<Entry<RuleRequest>, CompiledRule>();

/** Entries never change, so each is compiled once. */
export function compiledRule(entry: Entry<RuleRequest>): CompiledRule {
  const known = compiled.get(entry);
  if (known !== undefined) return known;
  const rule = compile(entry);
  compiled.set(entry, rule);
  return rule;
}

/** What was ended in its midst may not be used again. */
export function forgetCompiled(): void {
  compiled = new WeakMap();
}

function compile(entry: Entry<RuleRequest>): CompiledRule {
  const { match, condition: text } = entry.definition;
  const condition = text === undefined ? null : compileCondition(text);
  const [sought, problem] = soughtBy(match);
  const refused = problem ?? (condition?.ok === false ? condition.error : null);
  return {
    entry,
    sought: match === undefined ? null : sought,
    condition: condition?.ok === true ? condition.value : null,
    broken: refused?.message ?? null,
  };
}

const nothing: Sought = { finder: null, path: null };

function soughtBy(match: RuleRequest['match']): [Sought, Refusal | null] {
  const path = match?.path === undefined ? null : parseJsonPath(match.path);
  if (path?.ok === false) return [nothing, refused('match.path', path.error)];
  const found = { path: path?.value ?? null };
  if (match?.detector !== undefined) return [{ ...found, finder: detectors[match.detector] }, null];
  const pattern = match?.pattern === undefined ? null : compilePattern(match.pattern);
  if (pattern?.ok === false) return [nothing, refused('match.pattern', pattern.error)];
  return [{ ...found, finder: pattern?.value ?? null }, null];
}

function refused(field: string, { at, message }: SyntaxProblem): Refusal {
  return refusal('request.params_invalid', `${field}: character ${at + 1}: ${message}`, { field });
}

/** What is wrong with a rule that its schema cannot see. */
export function checkRule({ match, condition }: RuleRequest): Refusal | null {
  const problem = soughtBy(match)[1];
  if (problem !== null) return problem;
  const compiledCondition = condition === undefined ? null : compileCondition(condition);
  return compiledCondition?.ok === false ? compiledCondition.error : null;
}
