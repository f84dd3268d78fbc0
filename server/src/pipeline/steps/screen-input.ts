import { type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { Authorized, InputScreened } from '../call.ts';

/** Is the tool what was approved, and are the arguments such that they may be sent? Fills in what the gateway fixes and defaults. */
export function screenInput(authorized: Authorized): Result<InputScreened, Refusal> {
  const { quarantined, qualifiedName } = authorized.shown.tool;
  if (quarantined) {
    const message = `${qualifiedName} is held back: its source changed it after it was approved; an administrator has to approve the change`;
    return err(refusal('catalog.tool_quarantined', message));
  }
  const checked = authorized.shown.arguments(authorized.args);
  if (!checked.ok) return checked;
  return ok({ ...authorized, safeArgs: checked.value });
}
