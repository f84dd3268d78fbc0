import type { GatewayView } from '#catalog';
import type { Refusal, RuleTarget } from '#domain';
import { err, isMembers, type Members, ok, type Result } from '#foundation';
import { type Refused, refused } from './front.ts';
import type { Answer, Asked } from './methods.ts';
import { unknownPrompt } from './prompts.ts';
import { ownParams, relay } from './relay.ts';
import { unknownResource } from './resources.ts';
import { paramsInvalid } from './rpc.ts';

/** `completion/complete`: proposals for an argument of a prompt, or of a template of resources. */
export async function complete(asked: Asked): Promise<Result<Answer, Refused>> {
  const { exchange, params } = asked;
  const { argument } = params;
  const referred = referredBy(exchange.view, params.ref);
  if (!referred.ok) return err({ ...refused(referred.error), kind: 'completion' });
  if (!isMembers(argument) || typeof argument.name !== 'string' || typeof argument.value !== 'string') {
    const invalid = paramsInvalid('params.argument', 'must be an object with the strings name and value');
    return err({ ...refused(invalid), kind: 'completion' });
  }
  const { name, target, unknown, ref } = referred.value;
  const request = {
    kind: 'completion',
    name,
    target,
    unknown,
    method: 'completion/complete',
    params: { ...ownParams(params), ref },
  } as const;
  return await relay(asked, request);
}

interface Referred {
  readonly name: string;
  readonly target: RuleTarget | null;
  readonly unknown: Refusal;
  /** In the source's own name. */
  readonly ref: Members;
}

function referredBy(view: GatewayView, ref: unknown): Result<Referred, Refusal> {
  if (!isMembers(ref)) return err(paramsInvalid('params.ref', 'must be an object'));
  const { type, name, uri } = ref;
  if (type === 'ref/prompt') {
    if (typeof name !== 'string')
      return err(paramsInvalid('params.ref.name', 'must be the name of a prompt'));
    const shown = view.findPrompt(name);
    const own = { ...ref, name: shown?.own };
    return ok({ name, target: shown?.target ?? null, unknown: unknownPrompt(name, 'ref.name'), ref: own });
  }
  if (type !== 'ref/resource')
    return err(paramsInvalid('params.ref.type', 'must be ref/prompt or ref/resource'));
  if (typeof uri !== 'string') return err(paramsInvalid('params.ref.uri', 'must be a URI or a template'));
  const found = view.findTemplate(uri) ?? view.findResource(uri);
  const own = { ...ref, uri: found?.own };
  return ok({ name: uri, target: found?.target ?? null, unknown: unknownResource(uri, 'ref.uri'), ref: own });
}
