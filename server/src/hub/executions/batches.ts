interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

const most = 100;
/** Characters. */
const heaviest = 4 * 1024 * 1024;

/**
 * Does at once what is asked for at about the same time: the first as soon as it comes, and what comes while that is under way
 * together. `run` answers in the order of its items; where it throws, all of them fail. `weightOf`: in characters.
 */
export function createBatches<Item, Answer>(
  weightOf: (item: Item) => number,
  run: (items: readonly Item[]) => Promise<readonly Answer[]>,
): (item: Item) => Promise<Answer> {
  const gathered: Waiting<Item, Answer>[] = [];
  let isRunning = false;

  function next(): readonly Waiting<Item, Answer>[] {
    let weight = 0;
    const end = gathered.findIndex(({ item }, at) => {
      weight += weightOf(item);
      return at === most || (at > 0 && weight > heaviest);
    });
    return gathered.splice(0, end < 0 ? gathered.length : end);
  }

  async function runAll(): Promise<void> {
    isRunning = true;
    while (gathered.length > 0) {
      const batch = next();
      try {
        const answers = await run(batch.map(({ item }) => item));
        for (const [at, { resolve }] of batch.entries()) resolve(answers[at] as Answer);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    isRunning = false;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      gathered.push({ item, resolve, reject });
      if (!isRunning) void runAll();
    });
}
