import type { RuleRequest, RuleTrace } from '@sallyport/contracts';
import type { Gateway, RuleTarget, Subject } from '#domain';
import type { Members } from '#foundation';
import type { Entry } from '../entries.ts';

/** JSON text that goes in or out. */
export interface Document {
  readonly json: string;
  /**
   * Where the paths of rules begin: at these members of the whole (`result.structuredContent`; `*` is any name), or, with
   * `null`, at the whole itself. They begin anew in every text that is itself a JSON object or array.
   */
  readonly roots: readonly string[] | null;
  /** Written before every place in the trace: `arguments`. */
  readonly at: string;
}

/** What rules go by beside the document. */
export interface RuleFacts {
  readonly subject: Subject;
  readonly gateway: Gateway | null;
  readonly target: RuleTarget;
  /** For conditions; `{}` where there are none. */
  readonly args: Members;
  readonly nowMs: number;
}

export interface Screening {
  /** The text with everything taken out that rules redact; `null` where nothing was. */
  readonly json: string | null;
  /** The first rule that blocks. Whatever else matched, and in whatever order rules stand, it is set when any rule blocks. */
  readonly blocked: {
    readonly rule: Entry<RuleRequest>;
    readonly message: string;
    readonly reason: string;
  } | null;
  /** Rules whose action is to wait for an approval. */
  readonly held: readonly Entry<RuleRequest>[];
  /** Everything that matched, what only logs included. */
  readonly traces: readonly RuleTrace[];
}

/** The rules of one direction for one target on one gateway, compiled. */
export interface RulePlan {
  /** Never throws: a rule that cannot be evaluated blocks, and says so. */
  screen(document: Document, facts: RuleFacts): Screening;
}

/** What rules redact of what comes out. */
export interface Redactions {
  /** Whether a rule redacts outputs of the target, whoever asks and whatever they hold. */
  concern(gateway: Gateway | null, target: RuleTarget): boolean;
}

export interface Rules {
  /** `null` where no rule speaks of the target. Kept until a rule changes. */
  plan(direction: 'input' | 'output', gateway: Gateway | null, target: RuleTarget): RulePlan | null;
  /** `null` where no rule redacts outputs. The same until a rule changes, then another. */
  redactions(projectId: string): Redactions | null;
  claimNames(projectId: string): ReadonlySet<string>;
}
