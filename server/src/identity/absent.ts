import { Fault } from '#foundation';

/** Stands in for a part that is being built. */
export function absent<T extends object>(): T {
  return new Proxy({} as T, {
    get() {
      throw new Fault('this part of identity is not built yet');
    },
  });
}
