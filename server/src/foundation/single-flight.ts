/** Runs what is asked for once at a time for each key: whoever asks while it runs gets what comes of it. */
export type SingleFlight<T> = (key: string, run: () => Promise<T>) => Promise<T>;

export function createSingleFlight<T>(): SingleFlight<T> {
  const running = new Map<string, Promise<T>>();
  return (key, run) => {
    const known = running.get(key);
    if (known !== undefined) return known;
    const begun = run().finally(() => running.delete(key));
    running.set(key, begun);
    return begun;
  };
}
