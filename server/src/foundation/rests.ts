/**
 * For work that takes long: called often while it lasts, it gives now and then something to wait for, in which everybody else
 * has a turn. `null`: go on.
 */
export type Rests = () => Promise<void> | null;

const workMs = 8;

export function createRests(): Rests {
  let since = performance.now();
  return () => {
    if (performance.now() - since < workMs) return null;
    return new Promise((resolve) => {
      setImmediate(() => {
        since = performance.now();
        resolve();
      });
    });
  };
}
