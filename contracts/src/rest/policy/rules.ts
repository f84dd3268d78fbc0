import { z } from 'zod';
import { description, type EntryHead, entryName, subject, updateOf, where } from './parts.ts';

export const detectorNames = [
  'ssn',
  'payment_card',
  'iban',
  'email',
  'phone',
  'api_key',
  'private_key',
  'jwt',
] as const;
export type DetectorName = (typeof detectorNames)[number];

/** Names that other products have for the same. */
const detectorAliases: Readonly<Record<string, DetectorName>> = {
  us_ssn: 'ssn',
  credit_card: 'payment_card',
  iban_code: 'iban',
  email_address: 'email',
  phone_number: 'phone',
};

const detector = z.preprocess((value) => {
  if (typeof value !== 'string') return value;
  const name = value.toLowerCase().replaceAll('-', '_');
  return Object.hasOwn(detectorAliases, name) ? detectorAliases[name] : name;
}, z.enum(detectorNames));

const match = z
  .strictObject({
    /** RE2. */
    pattern: z.string().min(1).max(4096).optional(),
    detector: detector.optional(),
    /** JSONPath of RFC 9535, without filters and slices; with a pattern or a detector: only there. */
    path: z.string().min(1).max(1024).optional(),
  })
  .refine(({ pattern, detector, path }) => (pattern ?? detector ?? path) !== undefined, {
    message: 'must have one of pattern, detector, path',
  })
  .refine(({ pattern, detector }) => pattern === undefined || detector === undefined, {
    path: ['detector'],
    message: 'a match has a pattern or a detector, not both',
  });

const fields = {
  name: entryName,
  description: description.optional(),
  direction: z.enum(['input', 'output']),
  ...where,
  /** Anybody, where it is left out. */
  subjects: z.array(subject).min(1).max(1000).optional(),
  /** CEL over user, groups, claims, client, tool, gateway, arguments, time. */
  condition: z.string().min(1).max(4096).optional(),
  /** May be left out where there is a condition. */
  match: match.optional(),
  action: z.enum(['block', 'redact', 'approve']),
  /** Told to the caller of a blocked or held call. */
  message: z.string().min(1).max(2000).optional(),
  /** What stands in the place of what is redacted; `[redacted]` where it is left out. */
  replacement: z.string().max(1000).optional(),
  /** `log_only`: it changes nothing, and the audit tells what it would have done. */
  mode: z.enum(['enforce', 'log_only']).optional(),
  enabled: z.boolean().optional(),
  /** Who may approve; required for the action `approve`. */
  approvers: z.array(subject).min(1).max(100).optional(),
  /** How long a held call waits, and an approved one may be made; an hour where it is left out. */
  approval_ttl_seconds: z.int().min(10).max(2_592_000).optional(),
};

function checkRule(rule: { [field in keyof typeof fields]?: unknown }, context: z.RefinementCtx): void {
  const issue = (field: string, message: string) =>
    context.addIssue({ code: 'custom', path: [field], message });
  if (rule.match === undefined && rule.condition === undefined)
    issue('match', 'is required without a condition');
  if (rule.match === undefined && rule.action === 'redact')
    issue('match', 'is required for the action "redact"');
  if (rule.action === 'approve' && rule.direction === 'output')
    issue('action', '"approve" holds a call before it runs: the direction must be "input"');
  if (rule.action === 'approve' && rule.approvers === undefined)
    issue('approvers', 'is required for the action "approve"');
  for (const field of ['approvers', 'approval_ttl_seconds'] as const)
    if (rule.action !== 'approve' && rule[field] !== undefined)
      issue(field, 'is only for the action "approve"');
  if (rule.replacement !== undefined && rule.action !== 'redact')
    issue('replacement', 'is only for the action "redact"');
}

/** `POST /v1/rules`, and an entry of `rules` in the config file. */
export const ruleRequest = z.strictObject(fields).superRefine(checkRule);
export type RuleRequest = z.infer<typeof ruleRequest>;
/** `PATCH /v1/rules/{id}`. */
export const updateRuleRequest = updateOf(ruleRequest);
export type RuleResponse = EntryHead & RuleRequest;
