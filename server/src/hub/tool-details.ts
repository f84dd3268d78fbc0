import type { GetToolDetailsRequest, GetToolDetailsResponse, ToolDetails } from '@sallyport/contracts';
import type { ShownTool } from '#catalog';
import { timeoutMsOf } from '#domain';
import type { Pipeline } from '#pipeline';
import type { HubAsking } from './contract.ts';
import { type FindToolDeps, findTool } from './find-tool.ts';
import type { Governance } from './governance/contract.ts';
import { type RequirementsDeps, requirementsOf } from './requirements.ts';

export interface ToolDetailsDeps extends FindToolDeps, RequirementsDeps {
  readonly pipeline: Pick<Pipeline, 'redactions'>;
  readonly governance: Pick<Governance, 'curationOf' | 'examplesOf'>;
}

/** Everything that there is to know before a call; of what is not found, that it is unknown. */
export async function getToolDetails(
  deps: ToolDetailsDeps,
  asking: HubAsking,
  { tools }: GetToolDetailsRequest,
): Promise<GetToolDetailsResponse> {
  const told = tools.map(async (text) => {
    const found = await findTool(deps, asking, text);
    if (found.ok) return await detailsOf(deps, asking, found.value);
    const { code, message } = found.error;
    return { tool: text, error: { name: code, message } };
  });
  return { tools: await Promise.all(told) };
}

async function detailsOf(deps: ToolDetailsDeps, asking: HubAsking, shown: ShownTool): Promise<ToolDetails> {
  const { governance, refs, scopes } = deps;
  const { tool, description, inputSchema } = shown;
  const { readOnly, destructive, idempotent, openWorld } = tool.traits;
  const { version } = tool.toolkit;
  const { lifecycle, successorId, owner, whenToUse } = governance.curationOf(tool.projectId, tool.id);
  const successors = await scopes.withIds(asking, successorId === null ? [] : [successorId]);
  const successor = successors.get(successorId ?? '')?.tool;
  const examples = governance.examplesOf(tool);
  const requires = await requirementsOf(deps, asking, shown);
  const limits = limitsTold(deps, asking, shown);
  return {
    tool: refs.refOf(tool),
    name: tool.name,
    namespace: refs.namespaceOf(tool),
    ...(version === null ? {} : { version }),
    description: whenToUse === null ? description : `${description}\n\nWhen to use it: ${whenToUse}`.trim(),
    input_schema: inputSchema,
    ...outputSchemaOf(deps, asking, shown),
    ...(examples.length === 0 ? {} : { examples: [...examples] }),
    annotations: { read_only: readOnly, destructive, idempotent, open_world: openWorld },
    lifecycle,
    ...(successor === undefined ? {} : { successor: refs.refOf(successor) }),
    ...(owner === null ? {} : { owner }),
    ...(requires.length === 0 ? {} : { requires }),
    ...(limits.length === 0 ? {} : { limits }),
  };
}

/** None where rules redact what comes out: it would not be what the schema says. */
function outputSchemaOf(
  { pipeline }: ToolDetailsDeps,
  { gateway }: HubAsking,
  { tool }: ShownTool,
): Pick<ToolDetails, 'output_schema'> {
  if (tool.outputSchema === null) return {};
  const isRedacted = pipeline.redactions(tool.projectId)?.concern(gateway, tool) ?? false;
  return isRedacted ? {} : { output_schema: tool.outputSchema };
}

function limitsTold(
  { sources, policy }: ToolDetailsDeps,
  { caller, gateway }: HubAsking,
  { tool }: ShownTool,
): string[] {
  const source = sources.get(tool.projectId, tool.sourceId);
  const timeout = source === null ? [] : [`is given up after ${timeoutMsOf(source, tool.name) / 1000} s`];
  const { limits } = policy.foreseen({ caller, gateway, target: tool });
  const counted = limits.flatMap(({ rate, concurrency, per }) => {
    const each = `counted by ${per.join(' and ')}`;
    return [
      ...(rate === undefined ? [] : [`${rate.limit} calls in ${rate.per_seconds} s, ${each}`]),
      ...(concurrency === undefined ? [] : [`${concurrency} calls at once, ${each}`]),
    ];
  });
  return [...(tool.available ? [] : ['its server does not answer at the moment']), ...timeout, ...counted];
}
