interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Does at once what is asked for at about the same time: the first at once, and while that is under way, what comes meanwhile gathers.
 * `run` answers in the order of its items; where it throws, all of them fail.
 */
export function createBatches<Item, Answer>(
  most: number,
  run: (items: readonly Item[]) => Promise<readonly Answer[]>,
): (item: Item) => Promise<Answer> {
  const gathered: Waiting<Item, Answer>[] = [];
  let isRunning = false;

  async function runAll(): Promise<void> {
    isRunning = true;
    while (gathered.length > 0) {
      const batch = gathered.splice(0, most);
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
