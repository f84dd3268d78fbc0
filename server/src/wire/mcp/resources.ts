import { type Refusal, refusal } from '#domain';
import { err, isMembers, ok, type Result } from '#foundation';
import { type Refused, refused } from './front.ts';
import { type Answer, type Asked, type CallManners, listerOf } from './methods.ts';
import { ownParams, relay } from './relay.ts';
import { paramsInvalid } from './rpc.ts';
import { renamedUris } from './shown-uris.ts';

/** `resources/list`. */
export const listResources = listerOf('resource_list', 'resources', (view) => view.resources);

/** `resources/templates/list`. */
export const listTemplates = listerOf('resource_list', 'resourceTemplates', (view) => view.templates);

/** `resources/read`: the result as the source spoke it. */
export async function readResource(asked: Asked): Promise<Result<Answer, Refused>> {
  const { exchange, params, deps, manners } = asked;
  const { uri } = params;
  if (typeof uri !== 'string' || uri === '') {
    const invalid = paramsInvalid('params.uri', 'must be the URI of a resource');
    return err({ ...refused(invalid), kind: 'resource_read' });
  }
  const { caller, view } = exchange;
  const found = view.findResource(uri, (target) => deps.pipeline.permits(caller, view.gateway, target));
  const request = {
    kind: 'resource_read',
    name: uri,
    target: found?.target ?? null,
    unknown: unknownResource(uri, 'uri'),
    method: 'resources/read',
    params: { ...ownParams(params), uri: found?.own },
  } as const;
  const answer = await relay(asked, request);
  if (!answer.ok) return err(toldOfUri(answer.error, uri, manners));
  if (found === null) return answer;
  return ok(renamedUris(view, found.target.sourceId, 'resources/read', answer.value));
}

/** The answer for what does not exist, and for what the caller may not have. */
export function unknownResource(uri: string, field: string): Refusal {
  return refusal(
    'catalog.resource_unknown',
    `there is no resource ${JSON.stringify(uri.slice(0, 200))} here`,
    { field },
  );
}

/** What the generations call an error that names a resource which is not there. */
const saysUnknown: ReadonlySet<number> = new Set([-32002, -32602]);

/** Errors name the URI as the client spelled it, and have the number that the client's generation knows. */
export function toldOfUri(refused: Refused, uri: string, { resourceUnknown }: CallManners): Refused {
  const { relayed, refusal } = refused;
  if (relayed !== undefined) {
    const { code, data } = relayed;
    if (!isMembers(data) || data.uri === undefined) return refused;
    const told = saysUnknown.has(code) ? resourceUnknown : code;
    return { ...refused, relayed: { ...relayed, code: told, data: { ...data, uri } } };
  }
  if (refusal.code !== 'catalog.resource_unknown') return refused;
  const data = { name: refusal.code, field: 'uri', uri };
  return { ...refused, relayed: { code: resourceUnknown, message: refusal.message, data } };
}
