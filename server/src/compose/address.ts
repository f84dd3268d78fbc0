import type { Settings } from '#config';
import { Fault } from '#foundation';

/** Where clients reach us: what the environment says, else the address that we listen on. Never what a request says. */
export interface Address {
  /** `https://host`, without a slash at its end; a Fault before the server listens. */
  readonly origin: () => string;
  listensAt(url: string): void;
}

const everywhere = new Set(['0.0.0.0', '[::]']);

export function createAddress({ publicUrl }: Settings): Address {
  let origin = publicUrl;
  return {
    origin() {
      if (origin === null) throw new Fault('our own address is not known before the server listens');
      return origin;
    },
    listensAt(url) {
      const { hostname, port } = new URL(url);
      // An address that stands for all of them is none that a browser could go to.
      origin ??= everywhere.has(hostname) ? `http://localhost:${port}` : new URL(url).origin;
    },
  };
}
