import type { Scenario } from '../scenario.ts';
import { bypass } from './bypass.ts';
import { inputBlock } from './input-block.ts';
import { isolation } from './isolation.ts';
import { liveGrants } from './live-grants.ts';
import { recorded } from './records.ts';
import { redaction } from './redaction.ts';

/** Every scenario about access control, in the order of the tests that they are for. */
export const accessControlScenarios: readonly Scenario[] = [
  ...isolation,
  ...inputBlock,
  ...redaction,
  ...liveGrants,
  ...bypass,
  ...recorded,
];
