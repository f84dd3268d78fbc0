import type {
  AccessHookRequest,
  AccessHookResult,
  HookToolkits,
  HookToolMetadata,
  PostHookRequest,
  PreHookRequest,
} from '@sallyport/contracts';
import type { Subject, Tool } from '#domain';
import type { HookedCall, HookedOutput } from './contract.ts';

/** Tools and calls in the words of the webhook contract. */

/** The toolkit is the one that rules know: no source can pass its tools off as those of another. */
export function toolkitOf({ ruleName, name }: Tool): string {
  return ruleName.slice(0, -(name.length + 1));
}

/** Tools of MCP servers have no version. */
export function versionOf({ toolkit }: Tool): string {
  return toolkit.version ?? '';
}

export function accessBody({ userId }: Subject, tools: readonly Tool[]): string {
  const body: AccessHookRequest = { user_id: userId ?? '', toolkits: toolkitsOf(tools) };
  return JSON.stringify(body);
}

function toolkitsOf(tools: readonly Tool[]): HookToolkits {
  const toolkits = new Map<string, Map<string, HookToolkits[string]['tools'][string]>>();
  for (const tool of tools) {
    const toolkit = toolkitOf(tool);
    const byName = toolkits.get(toolkit) ?? new Map();
    toolkits.set(toolkit, byName);
    const versions = byName.get(tool.name) ?? [];
    versions.push({ requirements: requirementsOf(tool), version: versionOf(tool), ...metadataOf(tool) });
    byName.set(tool.name, versions);
  }
  return Object.fromEntries(
    [...toolkits].map(([toolkit, byName]) => [toolkit, { tools: Object.fromEntries(byName) }]),
  );
}

function requirementsOf({
  requirements,
}: Tool): HookToolkits[string]['tools'][string][number]['requirements'] {
  const { authorization, secrets } = requirements;
  const provider = authorization?.provider_id ?? authorization?.id;
  const type = authorization?.provider_type;
  const scopes = authorization?.oauth2?.scopes;
  return {
    ...(authorization === null
      ? {}
      : {
          authorization: [
            {
              ...(provider == null ? {} : { provider_id: provider }),
              ...(type == null ? {} : { provider_type: type }),
              ...(scopes == null ? {} : { oauth2: { scopes } }),
            },
          ],
        }),
    ...(secrets === null ? {} : { secrets: secrets.map(({ key }) => ({ name: key })) }),
  };
}

function metadataOf({ metadata }: Tool): { metadata?: HookToolMetadata } {
  if (metadata === null) return {};
  const { classification, behavior, extras } = metadata;
  const domains = classification?.service_domains;
  return {
    metadata: {
      ...(domains == null ? {} : { classification: { service_domains: domains } }),
      ...(behavior == null ? {} : { behavior: withoutNulls(behavior, behaviorFields) }),
      ...(extras == null ? {} : { extras }),
    },
  };
}

const behaviorFields = ['operations', 'read_only', 'destructive', 'idempotent', 'open_world'] as const;

function withoutNulls(
  from: Readonly<Record<string, unknown>>,
  fields: readonly string[],
): Readonly<Record<string, never>> {
  return Object.fromEntries(
    fields.filter((field) => from[field] != null).map((field) => [field, from[field] as never]),
  );
}

export function preBody(call: HookedCall, secretNames: readonly string[]): string {
  return JSON.stringify(questionOf(call, secretNames));
}

export function postBody(call: HookedOutput, secretNames: readonly string[]): string {
  const body: PostHookRequest = {
    ...questionOf(call, secretNames),
    success: call.success,
    output: call.output ?? null,
    execution_code: call.code,
    ...(call.error === null ? {} : { execution_error: call.error }),
  };
  return JSON.stringify(body);
}

function questionOf(
  { executionId, tool, args, subject, carried = [] }: HookedCall,
  secretNames: readonly string[],
): PreHookRequest {
  return {
    execution_id: executionId,
    tool: { name: tool.name, toolkit: toolkitOf(tool), version: versionOf(tool), ...metadataOf(tool) },
    inputs: args,
    context: {
      user_id: subject.userId ?? '',
      authorization: carried,
      secrets: [...secretNames],
      metadata: knownOf(subject),
    },
  };
}

/** What else is known of the user; nothing where only an API key vouches for them. */
function knownOf({ groups, claims, clientId }: Subject): Record<string, unknown> {
  return {
    ...(groups.length === 0 ? {} : { groups }),
    ...(Object.keys(claims).length === 0 ? {} : { claims }),
    ...(clientId === undefined ? {} : { client_id: clientId }),
  };
}

/** Names of the secrets that a tool wants. */
export function secretNamesOf({ requirements }: Tool): readonly string[] {
  return (requirements.secrets ?? []).map(({ key }) => key);
}

/** Whether an answer to `/access` lets the tool pass. */
export function isAllowed({ only, deny }: AccessHookResult, tool: Tool): boolean {
  if (only != null) return isListed(only, tool, false);
  return deny == null || !isListed(deny, tool, true);
}

/** A toolkit whose tools are not named: denied as a whole, and allowed as none. */
function isListed(listed: NonNullable<AccessHookResult['only']>, tool: Tool, whole: boolean): boolean {
  const toolkit = toolkitOf(tool);
  if (!Object.hasOwn(listed, toolkit)) return false;
  const tools = listed[toolkit]?.tools;
  if (tools == null) return whole;
  if (!Object.hasOwn(tools, tool.name)) return false;
  const versions = tools[tool.name] ?? [];
  return (
    versions.length === 0 ||
    versions.some(({ version }) => version == null || version === '' || version === versionOf(tool))
  );
}
