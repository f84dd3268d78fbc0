import type { GrantRequest } from '@sallyport/contracts';
import type { Gateway, RuleTarget, Subject } from '#domain';
import type { Entry } from '../entries.ts';

export interface GrantDecision {
  readonly allowed: boolean;
  /** The grants that decided: one that denies, else one that allows; none where the gateway is open. */
  readonly grantIds: readonly string[];
}

/** A grant that speaks of what is asked about, and whether it speaks of who asks. */
export interface GrantExplanation {
  readonly grant: Entry<GrantRequest>;
  readonly matches: boolean;
  readonly why: string;
}

/**
 * Who may see and use what, as the grants say it. A gateway with `access: granted` starts from nothing, everything else from
 * all; deny beats allow; one that expired is as if it were not there, from that millisecond on.
 */
export interface Grants {
  /** Takes the same time however many tools there are, and hardly longer with many grants. */
  decide(subject: Subject, gateway: Gateway | null, target: RuleTarget): GrantDecision;
  /**
   * Those that `decide` allows, in their order. The answer is kept for the array itself, the subject and the state of the
   * grants, so pass the same array for the same list; where all are allowed, it is that array.
   */
  filter<Item>(
    subject: Subject,
    gateway: Gateway | null,
    items: readonly Item[],
    targetOf: (item: Item) => RuleTarget,
  ): readonly Item[];
  /** Every grant of the project that speaks of the target and the gateway, and whether it speaks of the subject. */
  explain(subject: Subject, gateway: Gateway | null, target: RuleTarget): readonly GrantExplanation[];
  /** Names of the claims that grants go by. */
  claimNames(projectId: string): ReadonlySet<string>;
  /** Grows whenever what the grants say may be another: with every change, and when one expires. */
  revision(): number;
  /** Names the grants that act now, the same on every replica and after every restart. */
  fingerprint(): string;
  close(): void;
}
