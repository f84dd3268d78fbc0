import { type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { Received, Resolved } from '../call.ts';

/** Which tool is meant, among those that this front shows. Who may call none is told so of every name, of one that is not there, too. */
export function resolve(received: Received): Result<Resolved, Refusal> {
  if (!received.caller.principal.permissions.has('call')) {
    return err(
      refusal(
        'identity.scope_missing',
        'you may not call tools here: an API key needs the scope "call", a person a role that may',
      ),
    );
  }
  const shown = received.find(received.name);
  if (shown === null) return err(unknownTool(received.name));
  return ok({ ...received, shown });
}

/** The answer for what does not exist, and for what the caller may not see. */
export function unknownTool(name: string): Refusal {
  return refusal(
    'catalog.tool_unknown',
    `there is no tool named ${JSON.stringify(name.slice(0, 200))} here`,
    {
      field: 'name',
    },
  );
}
