/** What is to be made next: what needs it most comes first, otherwise in the order in which it came. */
export interface MakingPlan {
  /** At most so many. */
  next(most: number): string[];
}

const plannedAtOnce = 640;
/** 0: the most urgent. */
export type Urgency = 0 | 1 | 2;

/** `wanted` is gone through once for many that are made. */
export function createMakingPlan(
  wanted: ReadonlySet<string>,
  passedOver: ReadonlySet<string>,
  urgencyOf: (hash: string) => Urgency,
): MakingPlan {
  let planned: string[] = [];
  const isDue = (hash: string) => wanted.has(hash) && !passedOver.has(hash);

  function plan(): string[] {
    const byUrgency: [string[], string[], string[]] = [[], [], []];
    for (const hash of wanted) {
      if (passedOver.has(hash)) continue;
      const same = byUrgency[urgencyOf(hash)];
      if (same.length < plannedAtOnce) same.push(hash);
      if (byUrgency[0].length >= plannedAtOnce) break;
    }
    return byUrgency.flat().slice(0, plannedAtOnce);
  }

  return {
    next(most) {
      planned = planned.filter(isDue);
      if (planned.length === 0) planned = plan();
      return planned.slice(0, most);
    },
  };
}
