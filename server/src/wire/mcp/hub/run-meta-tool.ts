import {
  cancelExecutionRequest,
  executeToolByRefRequest,
  getToolDetailsRequest,
  listNamespacesRequest,
  resumeExecutionRequest,
  searchToolsRequest,
} from '@sallyport/contracts';
import type { z } from 'zod';
import type { Refusal } from '#domain';
import { err, isMembers, type Members, type Result } from '#foundation';
import type { Hub, HubAsking } from '#hub';
import { tooDeep } from '../../http/body.ts';
import { issuesRefusal } from '../../rest/answer.ts';
import { type Refused, refused } from '../front.ts';
import type { MetaToolName } from './meta-tools.ts';

type Run = (hub: Hub, asking: HubAsking, args: Members) => Promise<Result<object, Refused>>;

/** One of the six, with arguments that were checked. */
function checked<Request>(
  schema: z.ZodType<Request>,
  run: (hub: Hub, asking: HubAsking, request: Request) => Promise<Result<object, Refusal>>,
): Run {
  return async (hub, asking, args) => {
    // A body is no deeper; but objects may have come as text.
    for (const [name, value] of Object.entries(args)) {
      const deep = tooDeep(value, `arguments.${name}`);
      if (deep !== null) return err(refused(deep));
    }
    const parsed = schema.safeParse(args);
    if (parsed.success) {
      const told = await run(hub, asking, parsed.data);
      return told.ok ? told : err({ refusal: told.error, recorded: true });
    }
    const { message, field } = issuesRefusal(parsed.error);
    return err(
      refused({
        code: 'catalog.arguments_invalid',
        message,
        field: field === undefined ? 'arguments' : `arguments.${field}`,
      }),
    );
  };
}

export const runs: Readonly<Record<MetaToolName, Run>> = {
  search_tools: checked(searchToolsRequest, (hub, asking, request) => hub.searchTools(asking, request)),
  get_tool_details: checked(getToolDetailsRequest, (hub, asking, request) =>
    hub.getToolDetails(asking, request),
  ),
  execute_tool: checked(executeToolByRefRequest, (hub, asking, request) => hub.executeTool(asking, request)),
  resume_execution: checked(resumeExecutionRequest, (hub, asking, request) =>
    hub.resumeExecution(asking, request),
  ),
  cancel_execution: checked(cancelExecutionRequest, (hub, asking, request) =>
    hub.cancelExecution(asking, request),
  ),
  list_namespaces: checked(listNamespacesRequest, (hub, asking, request) =>
    hub.listNamespaces(asking, request),
  ),
};

const lists: ReadonlySet<string> = new Set(['queries', 'kinds', 'tools']);
const objects: ReadonlySet<string> = new Set(['input', 'response']);

/** Models write `null` for what they leave out, one for a list of one, and objects as text. */
export function asMeant(args: Members): Members {
  const members = Object.entries(args).flatMap(([name, value]) => {
    if (value === null) return [];
    if (typeof value !== 'string') return [[name, value]];
    if (lists.has(name)) return [[name, [value]]];
    return [[name, objects.has(name) ? parsed(value) : value]];
  });
  return Object.fromEntries(members);
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isMembers(value) ? value : text;
  } catch {
    return text;
  }
}
