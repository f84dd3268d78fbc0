import {
  assertionAlgorithms,
  type CreateGatewayRequest,
  type DeclaredWorkerRequest,
  type ReplaceGatewayRequest,
  type UpdateGatewayRequest,
  type UpdateWorkerRequest,
  type UserAssertionRequest,
} from '@sallyport/contracts';
import { err, ok, type Result } from '#foundation';
import type { Gateway, GatewayAuthType, ToolCuration, UserAssertion } from './gateway.ts';
import { type Refusal, refusal } from './refusal.ts';
import type { Source, StdioCommand } from './source.ts';

/**
 * From the words of the REST API and the config file to those of the platform. Requests were checked by their schemas
 * before they come here.
 */

interface Place {
  readonly projectId: string;
}

type SourceDraft = Omit<Source, 'origin' | 'createdAt' | 'updatedAt'>;
type SourceEdit = Partial<Omit<SourceDraft, 'id' | 'projectId' | 'kind'>>;
type GatewayDraft = Omit<Gateway, 'id' | 'origin' | 'createdAt' | 'updatedAt'>;
type GatewayEdit = Partial<Omit<GatewayDraft, 'projectId'>>;

export function newSourceFromRequest(request: DeclaredWorkerRequest, place: Place): SourceDraft {
  const { id, http, mcp } = request;
  const head = {
    ...place,
    id,
    enabled: request.enabled,
    ...(request.pin === undefined ? {} : { pin: request.pin }),
  };
  if (http !== undefined) {
    const { uri, secret } = http;
    const plain = { headers: {}, secrets: {}, kept: {} };
    return { ...head, kind: 'worker', uri, secret, ...limitsOf(http), ...plain };
  }
  const block = mcp as NonNullable<typeof mcp>;
  const { uri, stdio, headers, secrets, oauth2, auth_provider: authProvider } = block;
  return {
    ...head,
    kind: 'mcp',
    uri: uri ?? `stdio:${stdio?.command}`,
    ...(stdio === undefined ? {} : { stdio: commandOf(stdio) }),
    secret: null,
    ...limitsOf(block),
    headers: resolveHeaders(headers, secrets),
    secrets,
    kept: { headers, ...(oauth2 === undefined ? {} : { oauth2 }) },
    ...(authProvider === undefined ? {} : { authProvider }),
  };
}

type McpBlock = NonNullable<DeclaredWorkerRequest['mcp']>;

function commandOf({ command, args, env, cwd, per_user }: NonNullable<McpBlock['stdio']>): StdioCommand {
  return { command, args, env, cwd: cwd ?? null, perUser: per_user };
}

function limitsOf({ timeout, tool_timeouts, retry }: Pick<McpBlock, 'timeout' | 'tool_timeouts' | 'retry'>) {
  return { timeoutMs: timeout * 1000, toolTimeoutsMs: inMs(tool_timeouts ?? {}), retry };
}

function inMs(seconds: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(seconds).map(([tool, value]) => [tool, value * 1000]));
}

/** What the request changes on this source; refused where it speaks of the other kind. */
export function sourceEditFromRequest(
  request: UpdateWorkerRequest,
  source: Source,
): Result<SourceEdit, Refusal> {
  const foreign = source.kind === 'worker' ? 'mcp' : 'http';
  if (request[foreign] !== undefined) {
    const type = source.kind === 'worker' ? 'http' : 'mcp';
    return err(
      refusal('request.params_invalid', `${foreign}: this worker is of type "${type}"`, { field: foreign }),
    );
  }
  const block = request.http ?? request.mcp ?? {};
  const edit: SourceEdit = {
    ...(request.enabled === undefined ? {} : { enabled: request.enabled }),
    ...(request.pin === undefined ? {} : { pin: request.pin }),
    ...(block.uri === undefined ? {} : { uri: block.uri }),
    ...(block.timeout === undefined ? {} : { timeoutMs: block.timeout * 1000 }),
    ...(block.tool_timeouts === undefined ? {} : { toolTimeoutsMs: inMs(block.tool_timeouts) }),
    ...(block.retry === undefined ? {} : { retry: block.retry }),
    ...(request.http?.secret === undefined ? {} : { secret: request.http.secret }),
  };
  return ok(request.mcp === undefined ? edit : { ...edit, ...editOfWhatIsCarried(request.mcp, source) });
}

/** Headers, the secrets in them, and OAuth settings: they depend on each other. */
function editOfWhatIsCarried(
  { headers, secrets, oauth2, auth_provider: authProvider }: NonNullable<UpdateWorkerRequest['mcp']>,
  source: Source,
): SourceEdit {
  const asUser = authProvider === undefined ? {} : { authProvider };
  if (headers === undefined && secrets === undefined && oauth2 === undefined) return asUser;
  const nextSecrets: Record<string, string> = { ...source.secrets };
  for (const [name, value] of Object.entries(secrets ?? {})) {
    if (value === null) delete nextSecrets[name];
    else nextSecrets[name] = value;
  }
  const written = headers ?? headersAsWritten(source);
  const kept = { ...source.kept, headers: written };
  return {
    ...asUser,
    headers: resolveHeaders(written, nextSecrets),
    secrets: nextSecrets,
    kept:
      oauth2 === undefined ? kept : { ...kept, oauth2: { ...(source.kept?.oauth2 as object), ...oauth2 } },
  };
}

/** A source's headers with `${secret:NAME}` in place of the secrets, as they may be shown. */
export function headersAsWritten(source: Source): Readonly<Record<string, string>> {
  return (source.kept?.headers as Record<string, string> | undefined) ?? {};
}

/** A reference to what is no secret of the source's own stays: it is one of the project, which may change. */
function resolveHeaders(
  written: Readonly<Record<string, string>>,
  secrets: Readonly<Record<string, string>>,
): Record<string, string> {
  const resolve = (value: string) =>
    value.replace(/\$\{secret:([^}]*)\}/g, (reference, name: string) =>
      Object.hasOwn(secrets, name) ? (secrets[name] as string) : reference,
    );
  return Object.fromEntries(Object.entries(written).map(([name, value]) => [name, resolve(value)]));
}

export function newGatewayFromRequest(request: CreateGatewayRequest, place: Place): GatewayDraft {
  return {
    ...place,
    name: request.name,
    slug: request.slug ?? slugOf(request.name),
    description: request.description ?? '',
    instructions: request.instructions ?? '',
    status: request.status ?? 'active',
    authTypes: authTypesOf(request) ?? ['arcade_header'],
    userSourceIds: userSourceIdsOf(request) ?? [],
    toolScopes: request.tool_scopes ?? [],
    consentSkipClientIds: request.consent_skip_client_ids ?? [],
    userAssertion: userAssertionOf(request.user_assertion) ?? null,
    allowedTools: request.tool_filter?.allowed_tools ?? null,
    access: request.access ?? 'open',
    presentation: request.presentation ?? 'tools',
    naming: request.naming ?? 'toolkit',
    curation: (request.tools ?? []).map(curationOf),
    kept: keptOf(request),
  };
}

/** `PUT`: everything anew, but the slug stays where none is given. */
export function gatewayReplacementFromRequest(request: ReplaceGatewayRequest, gateway: Gateway): GatewayEdit {
  const { projectId, ...draft } = newGatewayFromRequest(
    { ...request, slug: request.slug ?? gateway.slug },
    gateway,
  );
  return draft;
}

/** `PATCH`: what the request leaves out stays. */
export function gatewayEditFromRequest(request: UpdateGatewayRequest, gateway: Gateway): GatewayEdit {
  const authTypes = authTypesOf(request);
  const given = {
    name: request.name,
    slug: request.slug,
    description: request.description,
    instructions: request.instructions,
    status: request.status,
    authTypes,
    userSourceIds: userSourceIdsOf(request),
    toolScopes: request.tool_scopes,
    consentSkipClientIds: request.consent_skip_client_ids,
    userAssertion: userAssertionOf(request.user_assertion),
    allowedTools: request.tool_filter?.allowed_tools,
    access: request.access,
    presentation: request.presentation,
    naming: request.naming,
    curation: request.tools?.map(curationOf),
    kept: { ...gateway.kept, ...keptOf(request) },
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function userAssertionOf(request: UserAssertionRequest | null | undefined): UserAssertion | null | undefined {
  if (request == null) return request;
  const { issuer, audience, secret } = request;
  return {
    issuer,
    audience: [audience ?? []].flat(),
    keys: assertionKeysOf(request),
    algorithms: request.algorithms ?? (secret === undefined ? assertionAlgorithms : ['HS256']),
    userClaim: request.user_claim ?? 'sub',
    groupsClaim: request.groups_claim ?? 'groups',
  };
}

/** The schema saw to it that there is exactly one kind. */
function assertionKeysOf({ jwks, jwks_uri, public_key_pem, secret }: UserAssertionRequest) {
  if (jwks !== undefined) return { from: 'jwks', jwks } as const;
  if (jwks_uri !== undefined) return { from: 'jwks_uri', uri: jwks_uri } as const;
  if (public_key_pem !== undefined) return { from: 'public_key_pem', pem: public_key_pem } as const;
  return { from: 'secret', secret: secret as string } as const;
}

/** The first is the one that a client which knows of one only is told. */
function authTypesOf(request: UpdateGatewayRequest): readonly GatewayAuthType[] | undefined {
  const first = request.auth_type === undefined ? [] : [request.auth_type];
  const all = [...new Set([...first, ...(request.auth_types ?? [])])];
  return all.length === 0 ? undefined : all;
}

/** `null` and `''` take the sources away; the first is the one that a client which knows of one only is told. */
function userSourceIdsOf(request: UpdateGatewayRequest): readonly string[] | undefined {
  const { user_source_id: first, user_source_ids: all } = request;
  if (first === undefined && all === undefined) return undefined;
  return [...new Set([...(first ? [first] : []), ...(all ?? [])])];
}

function curationOf(entry: NonNullable<CreateGatewayRequest['tools']>[number]): ToolCuration {
  return {
    tool: entry.tool,
    name: entry.name ?? null,
    description: entry.description ?? null,
    arguments: entry.arguments ?? { fixed: {}, defaults: {}, hidden: [] },
  };
}

function keptOf(request: UpdateGatewayRequest): Record<string, unknown> {
  const fields = {
    discovery: request.tool_filter?.discovery,
    registry_suggestions: request.tool_filter?.registry_suggestions,
    allowed_passthrough_headers: request.allowed_passthrough_headers,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function slugOf(name: string): string {
  const words = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .match(/[a-z0-9]+/g);
  return (words ?? ['gateway']).join('-').slice(0, 200).replace(/-$/, '');
}
