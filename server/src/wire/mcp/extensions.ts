import { type ClientSide, compileGlobs, type RuleTarget, taskExtension } from '#domain';
import { err, isMembers, type Members } from '#foundation';
import type { Exchange } from './exchange.ts';
import { type Relay, unknownMethod } from './methods.ts';
import { ownParams, relay } from './relay.ts';

/** What the protocol itself uses; a method here that we do not know is not an extension's. */
const coreNames: ReadonlySet<string> = new Set([
  'tools',
  'prompts',
  'resources',
  'completion',
  'logging',
  'sampling',
  'elicitation',
  'roots',
  'tasks',
  'notifications',
  'subscriptions',
  'server',
  'initialize',
  'ping',
]);

const methodNotFound = -32601;

/**
 * A method that we do not know: passed on, where it must be that of an extension that client and source both declared. The
 * gateway cannot tell whose it is, so there must be one such source only, and the gateway must show that much of it.
 */
export function extensionRequest(method: string): Relay {
  return async (asked) => {
    const { exchange, params, client } = asked;
    const unknown = unknownMethod(method);
    const target = targetOf(exchange, method, client);
    if (target === null) return err(unknown);
    const request = {
      kind: 'extension',
      name: method,
      target,
      unknown: unknown.refusal,
      method,
      params: ownParams(params),
    } as const;
    const answer = await relay(asked, request);
    if (answer.ok || answer.error.relayed?.code !== methodNotFound) return answer;
    return err({ ...unknown, recorded: true });
  };
}

function targetOf({ view }: Exchange, method: string, { capabilities }: ClientSide): RuleTarget | null {
  // It stands in a header of its own, where servers of 2026-07-28 are asked.
  if (coreNames.has((method.split('/')[0] as string).toLowerCase()) || !/^[\x21-\x7e]{1,256}$/.test(method))
    return null;
  const wanted = extensionsOf(capabilities);
  const known = view.sourceIds.filter((id) =>
    extensionsOf(view.capabilitiesOf(id)).some((extension) => wanted.includes(extension)),
  );
  const [sourceId] = known;
  if (sourceId === undefined || known.length > 1) return null;
  const ruleName = `${sourceId}.${method}`;
  const { allowedTools, projectId } = view.gateway;
  if (allowedTools !== null && !compileGlobs(allowedTools).matches(ruleName)) return null;
  return { id: `ext_${sourceId}`, projectId, sourceId, ruleName };
}

/** The revisions with a handshake have `experimental` for it; some use `extensions` there too. */
function extensionsOf({ extensions, experimental }: Members): readonly string[] {
  return [extensions, experimental]
    .filter(isMembers)
    .flatMap((named) => Object.keys(named))
    .filter((name) => !servedExtensions.has(name));
}

/** Extensions whose methods are no others than those that the gateway serves. */
export const servedExtensions: ReadonlySet<string> = new Set([taskExtension, 'io.modelcontextprotocol/ui']);
