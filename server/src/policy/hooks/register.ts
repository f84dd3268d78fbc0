import { createTurns } from '#foundation';
import type { HookRegister, KeptHook, Plugins } from './contract.ts';
import { createHookRegister } from './hook-register.ts';
import type { RegisterDeps } from './laid-down.ts';
import { createPluginRegister } from './plugin-register.ts';

/** What administrators lay down of plugins and hooks. One change at a time: each sees what the one before did. */
export function createRegister(deps: RegisterDeps): {
  readonly plugins: Plugins;
  readonly hooks: HookRegister;
} {
  const inTurn = createTurns();
  let ofPlugins: readonly KeptHook[] = [];
  let alone: readonly KeptHook[] = [];
  const applyAll = (projectId: string) => deps.hooks.applyFile(projectId, [...ofPlugins, ...alone]);
  return {
    plugins: createPluginRegister(deps, inTurn, (projectId, declared) => {
      ofPlugins = declared;
      applyAll(projectId);
    }),
    hooks: createHookRegister(deps, inTurn, (projectId, declared) => {
      alone = declared;
      applyAll(projectId);
    }),
  };
}
