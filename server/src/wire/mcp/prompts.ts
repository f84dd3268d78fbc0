import { type Refusal, refusal } from '#domain';
import { err, isMembers, ok, type Result } from '#foundation';
import { type Refused, refused } from './front.ts';
import { type Answer, type Asked, listerOf } from './methods.ts';
import { ownParams, relay } from './relay.ts';
import { paramsInvalid } from './rpc.ts';
import { renamedUris } from './shown-uris.ts';

/** `prompts/list`. */
export const listPrompts = listerOf('prompt_list', 'prompts', (view) => view.prompts);

/** `prompts/get`: the result as the source spoke it. */
export async function getPrompt(asked: Asked): Promise<Result<Answer, Refused>> {
  const { exchange, params } = asked;
  const { name, arguments: args = {} } = params;
  if (typeof name !== 'string' || name === '') return err(invalid('name', 'must be the name of a prompt'));
  if (!isMembers(args)) return err(invalid('arguments', 'must be an object'));
  const { view } = exchange;
  const shown = view.findPrompt(name);
  const request = {
    kind: 'prompt_get',
    name,
    target: shown?.target ?? null,
    unknown: unknownPrompt(name, 'name'),
    method: 'prompts/get',
    params: { ...ownParams(params), name: shown?.own },
  } as const;
  const answer = await relay(asked, request);
  if (!answer.ok || shown === null) return answer;
  return ok(renamedUris(view, shown.target.sourceId, 'prompts/get', answer.value));
}

/** The answer for what does not exist, and for what the caller may not have. */
export function unknownPrompt(name: string, field: string): Refusal {
  return refusal(
    'catalog.prompt_unknown',
    `there is no prompt named ${JSON.stringify(name.slice(0, 200))} here`,
    { field },
  );
}

function invalid(member: string, problem: string): Refused {
  return { ...refused(paramsInvalid(`params.${member}`, problem)), kind: 'prompt_get' };
}
