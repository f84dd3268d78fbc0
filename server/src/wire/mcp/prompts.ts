import type { ShownPrompt } from '#catalog';
import { type ClientSide, type Refusal, refusal } from '#domain';
import { err, isMembers, type Members, ok, type Result } from '#foundation';
import type { Exchange } from './exchange.ts';
import { type McpDeps, type Refused, refused } from './front.ts';
import { createPager } from './list-pages.ts';
import { type Answer, type CallManners, listed } from './methods.ts';
import { ownParams, relay } from './relay.ts';
import { paramsInvalid } from './rpc.ts';
import { renamedUris } from './shown-uris.ts';

const pages = createPager<ShownPrompt>({
  member: 'prompts',
  all: (view) => view.prompts,
  textOf: (shown) => JSON.stringify(shown.listed),
});

/** `prompts/list`: the members of the result, as JSON text without braces. */
export function listPrompts(
  exchange: Exchange,
  params: Members,
  deps: McpDeps,
): Promise<Result<string, Refused>> {
  const { caller, view } = exchange;
  const visible = view.prompts.filter(({ target }) => deps.pipeline.permits(caller, view.gateway, target));
  return listed(exchange, params, deps, 'prompt_list', pages, visible);
}

/** `prompts/get`: the result as the source spoke it. */
export async function getPrompt(
  exchange: Exchange,
  params: Members,
  signal: AbortSignal,
  client: ClientSide,
  deps: McpDeps,
  manners: CallManners,
): Promise<Result<Answer, Refused>> {
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
  const answer = await relay(exchange, params, request, signal, client, deps, manners);
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
