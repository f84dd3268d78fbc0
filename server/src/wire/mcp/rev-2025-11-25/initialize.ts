import { err, isMembers, type Members, ok, type Result } from '#foundation';
import { capabilitiesIn } from '../asking.ts';
import { legacyCapabilities } from '../capabilities.ts';
import type { Exchange } from '../exchange.ts';
import { instructionsFor, type McpDeps, type Refused, refused, serverInfo } from '../front.ts';
import { mayUseSource } from '../hearing.ts';
import { paramsInvalid, type RpcId, resultMessage } from '../rpc.ts';
import { isLegacyVersion, legacyVersions } from './versions.ts';

/** The client brings it back with every request, in a header; proxies refuse headers of more than 8 KB. */
const maxCapabilitiesLength = 4096;
const maxNameBytes = 100;

/** `initialize`: the handshake opens a session. */
export function initialize(
  exchange: Exchange,
  { id, params }: { readonly id: RpcId; readonly params: Members },
  deps: McpDeps,
): Result<void, Refused> {
  const { protocolVersion: asked, capabilities: declared = {}, clientInfo } = params;
  if (typeof asked !== 'string') {
    return err(refused(paramsInvalid('params.protocolVersion', 'must be a string')));
  }
  if (!isMembers(declared)) {
    return err(refused(paramsInvalid('params.capabilities', 'must be an object')));
  }
  const version = isLegacyVersion(asked) ? asked : legacyVersions[0];
  const capabilities = JSON.stringify(capabilitiesIn(version, declared));
  if (Buffer.byteLength(capabilities) > maxCapabilitiesLength) {
    const tooLong = `must not be longer than ${maxCapabilitiesLength} bytes`;
    return err(refused(paramsInvalid('params.capabilities', tooLong)));
  }
  const session = deps.sessions.open(exchange.caller, exchange.view.gateway.id, {
    version,
    capabilities,
    clientName: isMembers(clientInfo) ? shortName(clientInfo.name) : '',
  });
  if (!session.ok) return err(refused(session.error));
  const instructions = instructionsFor(exchange, deps);
  const result = JSON.stringify({
    protocolVersion: version,
    capabilities: legacyCapabilities(exchange.view, version, (sourceId) =>
      mayUseSource(exchange, sourceId, deps),
    ),
    serverInfo: serverInfo(exchange, deps),
    ...(instructions === '' ? {} : { instructions }),
  });
  exchange.answerInSession(session.value, resultMessage(id, result));
  return ok(undefined);
}

/** A copy: a part of a string would keep the whole of it in memory. */
function shortName(name: unknown): string {
  return typeof name === 'string' ? Buffer.from(name).subarray(0, maxNameBytes).toString() : '';
}
