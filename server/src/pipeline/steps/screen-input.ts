import type { Refusal } from '#domain';
import { ok, type Result } from '#foundation';
import type { Authorized, InputScreened } from '../call.ts';

/** Are the arguments such that they may be sent? Fills in what the gateway fixes and defaults. */
export function screenInput(authorized: Authorized): Result<InputScreened, Refusal> {
  const checked = authorized.shown.arguments(authorized.args);
  if (!checked.ok) return checked;
  return ok({ ...authorized, safeArgs: checked.value });
}
