import type { SetName } from './data-sets.ts';
import type { Filtered } from './filtered.ts';
import type { SetScores } from './measure.ts';
import type { Score } from './metrics.ts';

/** What no change may fall below. */
const gates: Readonly<
  Record<SetName, { readonly figure: keyof Score; readonly said: string; readonly least: number }>
> = {
  seal: { figure: 'recall5', said: 'Recall@5', least: 86 },
  bfcl: { figure: 'recall10', said: 'Recall@10', least: 83 },
  metatool: { figure: 'ndcg10', said: 'NDCG@10', least: 60 },
};

export interface GateResult {
  readonly said: string;
  readonly passed: boolean;
}

/** Held to on queries that nothing was chosen by. */
export function gateOf(name: SetName, { test }: SetScores): GateResult {
  const { figure, said, least } = gates[name];
  const value = test[figure];
  return { said: `${name} ${said} ${value.toFixed(1)} (at least ${least})`, passed: value >= least };
}

export function gateOfFiltered({ share, recall, forbidden, scoreDifference }: Filtered): GateResult {
  const passed = recall === 1 && forbidden === 0 && scoreDifference < 1e-6;
  const said = `filtered to ${share * 100} %: recall ${recall} (1), ${forbidden} not permitted (0), scores differ by ${scoreDifference.toExponential(0)}`;
  return { said, passed };
}
