import type { ExplainResponse, RuleRequest } from '@sallyport/contracts';
import { type Refusal, refusal } from '#domain';
import type { Members, Result } from '#foundation';
import type { ExplainedCall, Policy } from './contract.ts';
import type { Entry, EntryList } from './entries.ts';
import { matcherOf, matchesSubject } from './matching.ts';
import type { Parts } from './parts.ts';
import type { Screening } from './rules/contract.ts';
import { screen } from './screen.ts';

export interface ExplainDeps {
  readonly parts: Parts;
  readonly rules: EntryList<RuleRequest>;
  readonly authorize: Policy['authorize'];
}

type Explained = Pick<ExplainResponse, 'hooks' | 'arguments' | 'output'> & {
  refused: Refusal | null;
  readonly screenings: Screening[];
};

/** Walks the steps of a call in their order, and goes on after a refusal, so that everything is told at once. */
export async function explain(
  { parts, rules, authorize }: ExplainDeps,
  about: ExplainedCall,
): Promise<ExplainResponse> {
  const { caller, gateway, tool } = about;
  const told: Explained = { refused: about.hidden, hooks: [], screenings: [] };
  const authorized = await authorize({ caller, gateway, target: tool });
  if (!authorized.ok) refuse(told, authorized.error);
  told.hooks.push(...((authorized.ok ? authorized.value.trace : authorized.error.policy)?.hooks ?? []));
  const args = explainInput(parts, about, told);
  const limits = await explainLimits(parts, about, told);
  if (args !== null && told.refused === null) {
    const changed = await explainPreHooks(parts, about, args, told);
    if (changed !== null) explainInput(parts, changed, told);
  }
  explainHeld(told);
  if (about.output !== undefined) explainOutput(parts, about, told);
  return {
    decision: told.refused === null ? 'allowed' : 'refused',
    code: told.refused?.code ?? null,
    reason: told.refused === null ? null : (told.refused.reason ?? told.refused.message),
    policy_version: parts.version(),
    access: gateway?.access ?? 'open',
    grants: parts.grants.explain(caller, gateway, tool).map(({ grant: { id, definition }, matches, why }) => {
      const { effect, subject } = definition;
      return { id, effect, subject, matches, why };
    }),
    rules: rules.list(tool.projectId).map((rule) => explainRule(rule, about, told.screenings)),
    limits,
    hooks: told.hooks,
    ...(told.arguments === undefined ? {} : { arguments: told.arguments }),
    ...(told.output === undefined ? {} : { output: told.output }),
  };
}

/** The first refusal is the one that a call would meet. */
function refuse(told: Explained, refused: Refusal): void {
  told.refused ??= refused;
}

function refuseWith(told: Explained, checked: Result<unknown, Refusal>): void {
  if (!checked.ok) refuse(told, checked.error);
}

/** What rules leave of the arguments; `null` where none were given, or none may go in. */
function explainInput(parts: Parts, about: ExplainedCall, told: Explained): Members | null {
  if (about.arguments === null) return null;
  const { args, check } = about.arguments;
  refuseWith(told, check(args));
  const { caller, gateway, tool: target } = about;
  const document = () => ({ json: JSON.stringify(args), roots: null, at: 'arguments' });
  const screening = screen(parts, { caller, gateway, target }, 'input', args, document);
  if (screening === null) {
    told.arguments = args;
    return args;
  }
  told.screenings.push(screening);
  if (screening.blocked !== null) {
    delete told.arguments;
    refuse(told, refusal('policy.input_blocked', screening.blocked.message, screening.blocked));
    return null;
  }
  const left: Members = screening.json === null ? args : JSON.parse(screening.json);
  if (screening.json !== null) refuseWith(told, check(left));
  told.arguments = left;
  return left;
}

async function explainLimits(
  parts: Parts,
  { caller, gateway, tool }: ExplainedCall,
  told: Explained,
): Promise<ExplainResponse['limits']> {
  const limits = await parts.limits.peek({ caller, gateway, target: tool });
  return limits.map(({ limit: { id, definition }, left, running }) => {
    const { name, concurrency } = definition;
    if (left !== null && left < 1)
      refuse(told, refusal('policy.rate_limited', `limit ${id} ${name} is used up`));
    if (running !== null && concurrency !== undefined && running >= concurrency)
      refuse(
        told,
        refusal('policy.concurrency_limited', `limit ${id} ${name}: ${running} calls are under way`),
      );
    return { id, name, left, running };
  });
}

/** The call as hooks change it; `null` where they do not. */
async function explainPreHooks(
  parts: Parts,
  about: ExplainedCall,
  args: Members,
  told: Explained,
): Promise<ExplainedCall | null> {
  const { caller, tool } = about;
  if (!parts.hooks.has(tool.projectId, 'pre')) return null;
  const asked = { subject: caller, tool, executionId: 'explained', args, signal: null, dryRun: true };
  const answered = await parts.hooks.pre(asked);
  told.hooks.push(...(answered.ok ? answered.value : answered.error).traces);
  refuseWith(told, answered);
  const changed = answered.ok ? answered.value.args : null;
  return changed === null || about.arguments === null
    ? null
    : { ...about, arguments: { ...about.arguments, args: changed } };
}

/** An approval that is there already is not looked at: it is for one call. */
function explainHeld(told: Explained): void {
  const held = told.screenings.flatMap((screening) => screening.held);
  if (held.length === 0) return;
  const names = held.map(({ id, definition }) => `${id} ${definition.name}`).join(', ');
  refuse(told, refusal('policy.approval_required', `an approver has to agree first: ${names}`));
}

function explainOutput(parts: Parts, about: ExplainedCall, told: Explained): void {
  const args = about.arguments?.args ?? {};
  const { caller, gateway, tool: target } = about;
  const document = () => ({ json: JSON.stringify({ value: about.output }), roots: ['value'], at: '' });
  const screening = screen(parts, { caller, gateway, target }, 'output', args, document);
  if (screening === null) {
    told.output = about.output;
    return;
  }
  told.screenings.push(screening);
  if (screening.blocked !== null)
    refuse(told, refusal('policy.output_blocked', screening.blocked.message, screening.blocked));
  else told.output = screening.json === null ? about.output : JSON.parse(screening.json).value;
}

function explainRule(
  { id, definition }: Entry<RuleRequest>,
  about: ExplainedCall,
  screenings: readonly Screening[],
): ExplainResponse['rules'][number] {
  const { name, direction, action, mode = 'enforce' } = definition;
  const trace = screenings.flatMap(({ traces }) => traces).find((one) => one.id === id);
  const why = trace === undefined ? whyNothing(definition, about) : (trace.error ?? 'it matches');
  return {
    id,
    name,
    direction,
    action,
    mode,
    outcome: trace?.outcome ?? null,
    count: trace?.count ?? 0,
    places: trace?.places ?? [],
    why,
  };
}

function whyNothing(rule: RuleRequest, { caller, gateway, tool, ...about }: ExplainedCall): string {
  if (rule.enabled === false) return 'it is switched off';
  if (!matcherOf(rule).matches(gateway, tool)) return 'it is for other tools or gateways';
  if (!matchesSubject(rule.subjects, caller)) return 'it is for others';
  if (rule.direction === 'input' && about.arguments === null) return 'no arguments were given to try it on';
  if (rule.direction === 'output' && about.output === undefined) return 'no output was given to try it on';
  return rule.condition === undefined
    ? 'it does not match'
    : 'it does not match, or its condition does not hold';
}
