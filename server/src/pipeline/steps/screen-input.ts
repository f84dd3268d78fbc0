import { refusal } from '#domain';
import { err, type MaybePromise, ok, type Result } from '#foundation';
import type { Carried, Policy } from '#policy';
import type { CallRefusal, Consented, InputScreened } from '../call.ts';

/**
 * Is the tool what was approved, and may these arguments be sent? Fills in what the gateway fixes and defaults, then asks policy:
 * rules, limits, hooks, approvals.
 */
export function screenInput(
  consented: Consented,
  policy: Policy,
  describe: (call: Consented) => Promise<Carried>,
): MaybePromise<Result<InputScreened, CallRefusal>> {
  const { shown, grant, executionId, signal, continues } = consented;
  const { quarantined, qualifiedName } = shown.tool;
  if (quarantined) {
    const message = `${qualifiedName} is held back: its source changed it after it was approved; an administrator has to approve the change`;
    return err(refusal('catalog.tool_quarantined', message));
  }
  const checked = shown.arguments(consented.args);
  if (!checked.ok) return checked;
  let described: Promise<Carried> | null = null;
  const asked = {
    executionId,
    args: checked.value,
    roots: null,
    tool: shown.tool,
    follows: false,
    continues,
    check: (args: typeof checked.value) => shown.takes(args),
    ...(shown.fixed === undefined ? {} : { fixed: shown.fixed }),
    signal,
    // Hooks before and after the call hear the same.
    carried() {
      described ??= describe(consented);
      return described;
    },
  };
  const goOn = (admission: Awaited<ReturnType<Policy['admit']>>): Result<InputScreened, CallRefusal> =>
    admission.ok ? ok({ ...consented, asked, admission: admission.value }) : admission;
  const admission = policy.admit(grant, asked);
  return admission instanceof Promise ? admission.then(goOn) : goOn(admission);
}
