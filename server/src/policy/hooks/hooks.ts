import { ok } from '#foundation';
import type { Hooks } from './contract.ts';

export function createHooks(): Hooks {
  return {
    has: () => false,
    access: async () => ({ allows: () => true, traces: [] }),
    pre: async () => ok({ args: null, secrets: [], traces: [] }),
    post: async () => ok({ output: null, traces: [] }),
    close() {},
  };
}
