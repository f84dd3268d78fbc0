import type { RuleRequest } from '@sallyport/contracts';
import { type Entry, fixedEntries } from '../entries.ts';
import type { RuleFacts, Screening } from './contract.ts';
import { createRules } from './rules.ts';

/** For tests: rules and one document, without a policy around them. */

export type RulePart = Partial<RuleRequest>;

export function ruleEntry(part: RulePart, nth = 0): Entry<RuleRequest> {
  const definition: RuleRequest = {
    name: `Rule ${nth}`,
    direction: 'output',
    tools: ['*'],
    action: 'block',
    ...part,
  };
  const at = '2026-01-01T00:00:00.000Z';
  return { id: `rule_${nth}`, projectId: 'default', origin: 'api', definition, createdAt: at, updatedAt: at };
}

export const target = { id: 'tool_1', projectId: 'default', sourceId: 'github', ruleName: 'Github.GetIssue' };

export const facts: RuleFacts = {
  subject: { userId: 'ann', groups: ['support'], claims: { department: 'sales' } },
  gateway: null,
  target,
  args: {},
  nowMs: Date.parse('2026-01-01T12:00:00Z'),
};

interface Where {
  readonly roots?: readonly string[] | null;
  readonly at?: string;
  readonly facts?: Partial<RuleFacts>;
}

export function screenOnce(
  rules: readonly (RulePart | Entry<RuleRequest>)[],
  json: string,
  { roots = null, at = '', facts: more = {} }: Where = {},
): Screening {
  const entries = rules.map((rule, nth) => ('definition' in rule ? rule : ruleEntry(rule, nth)));
  const [first] = entries;
  const direction = first?.definition.direction ?? 'output';
  const plan = createRules(fixedEntries(entries)).plan(direction, facts.gateway, target);
  const nothing = { json: null, blocked: null, held: [], traces: [] };
  return plan?.screen({ json, roots, at }, { ...facts, ...more }) ?? nothing;
}
