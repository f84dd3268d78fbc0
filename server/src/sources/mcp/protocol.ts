import { type SourceStatus, taskExtension } from '#domain';
import { isMembers, type Members } from '#foundation';

export const modernVersion = '2026-07-28';
/** Newest first; the first is the one offered. */
export const legacyVersions: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];

export const clientInfo = { name: 'sallyport', title: 'Sallyport', version: '0.1.0' };

const reserved = 'io.modelcontextprotocol/';
export const serverInfoKey = `${reserved}serverInfo`;
export const isReserved = (key: string): boolean => key.startsWith(reserved);

/** What every modern request says of us, where the client can do nothing in particular. */
export const modernMeta = {
  [`${reserved}protocolVersion`]: modernVersion,
  [`${reserved}clientCapabilities`]: {},
  [`${reserved}clientInfo`]: clientInfo,
};
export const clientCapabilitiesKey = `${reserved}clientCapabilities`;
export const logLevelKey = `${reserved}logLevel`;

/** Codes that only a server of the modern era uses. */
export const headerMismatch = -32020;
export const capabilityMissing = -32021;
export const versionUnsupported = -32022;
export const parseError = -32700;
export const methodNotFound = -32601;

export const urlElicitationRequired = -32042;

export function isListChanged(method: string): boolean {
  return method.startsWith('notifications/') && method.endsWith('/list_changed');
}

/** The answer that a server's request gets where no client is there for it. */
export function refusalOf({ id, method }: { readonly id: string | number; readonly method: string }): object {
  if (method === 'ping') return { id, result: {} };
  return {
    id,
    error: { code: methodNotFound, message: `the gateway does not answer ${method.slice(0, 100)}` },
  };
}

/** What the server says of itself; `null` where it says nothing usable. */
function serverInfoOf(value: unknown): SourceStatus['serverInfo'] {
  if (!isMembers(value) || typeof value.name !== 'string') return null;
  const { name, version, description } = value;
  return {
    name: name.slice(0, 256),
    version: typeof version === 'string' ? version.slice(0, 100) : '',
    ...(typeof description === 'string' ? { description: description.slice(0, 2000) } : {}),
  };
}

/** Capabilities as the legacy era has them: without the extension that means something only to the modern one. */
export function withoutModernTasks(declared: Members): Members {
  const { extensions } = declared;
  if (!isMembers(extensions) || extensions[taskExtension] === undefined) return declared;
  const { [taskExtension]: _, ...others } = extensions;
  return { ...declared, extensions: others };
}

/** What a server said of itself when it was found. */
export interface Offer {
  readonly serverInfo: SourceStatus['serverInfo'];
  /** What it declared that it can do, as it came; `{}` where it declared nothing. */
  readonly capabilities: Members;
  /** False only where the server declares capabilities, and tools are not among them. */
  readonly tools: boolean;
  /** It says when a list of it changes, of whatever. */
  readonly listChanged: boolean;
  /** What it says to a model about itself; "" where that is nothing, or more than we keep. */
  readonly instructions: string;
}

const maxInstructions = 65_536;

export function offerOf(declared: unknown, serverInfo: unknown, instructions: unknown): Offer {
  const capabilities = isMembers(declared) ? declared : {};
  const { tools, prompts, resources } = capabilities;
  return {
    serverInfo: serverInfoOf(serverInfo),
    capabilities,
    tools: !isMembers(declared) || isMembers(tools),
    listChanged: [tools, prompts, resources].some((one) => isMembers(one) && one.listChanged === true),
    instructions:
      typeof instructions === 'string' && instructions.length <= maxInstructions ? instructions : '',
  };
}
