import {
  cancelExecutionRequest,
  executeToolByRefRequest,
  executionModes,
  executionStatuses,
  getToolDetailsRequest,
  listNamespacesRequest,
  resumeExecutionRequest,
  searchToolsRequest,
} from '@sallyport/contracts';
import { z } from 'zod';
import type { JsonSchema } from '#domain';
import { isMembers } from '#foundation';

/** The six tools that stand for a catalogue, as a model reads them: every word costs each conversation. */

export const metaToolNames = [
  'search_tools',
  'get_tool_details',
  'execute_tool',
  'resume_execution',
  'cancel_execution',
  'list_namespaces',
] as const;
export type MetaToolName = (typeof metaToolNames)[number];

export interface MetaTool {
  readonly name: MetaToolName;
  readonly listed: object;
  readonly outputSchema: JsonSchema;
}

const string = { type: 'string' };
const strings = { type: 'array', items: string };
const object = { type: 'object' };

const execution = {
  type: 'object',
  properties: {
    execution_id: string,
    status: { enum: executionStatuses },
    tool: string,
    mode: { enum: executionModes },
    waiting_for: { enum: ['input', 'consent', 'approval'] },
    questions: object,
    authorization_url: string,
    output: {},
    error: object,
    advice: string,
  },
  required: ['execution_id', 'status', 'tool'],
};

/** `description` of each member, by its name. */
type Words = Readonly<Record<string, string>>;

interface Defined {
  readonly title: string;
  readonly description: string;
  readonly request: z.ZodType;
  readonly words: Words;
  readonly outputSchema: JsonSchema;
  readonly annotations: object;
}

const reads = { readOnlyHint: true, openWorldHint: false };

const defined: Readonly<Record<MetaToolName, Defined>> = {
  search_tools: {
    title: 'Search tools',
    description:
      'Finds tools for what you want to do. This server has more tools than are listed: search first, then get_tool_details of those that may fit, then execute_tool.',
    request: searchToolsRequest,
    words: {
      query: 'One intent in plain words, e.g. "open an issue in a repository"',
      queries: 'Instead of query: several intents at once',
      namespace: 'Only there and below, as list_namespaces tells it',
      kinds: 'Only of sources of these kinds',
    },
    outputSchema: {
      type: 'object',
      properties: {
        tools: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              tool: string,
              namespace: string,
              summary: string,
              score: { type: 'number' },
              also: strings,
              requires: strings,
              read_only: { type: 'boolean' },
              deprecated: object,
            },
            required: ['tool', 'namespace', 'summary', 'score'],
          },
        },
        advice: string,
      },
      required: ['tools'],
    },
    annotations: reads,
  },
  get_tool_details: {
    title: 'Tool details',
    description:
      'Input schema, description, limits and what is missing for up to five tools. Read it before execute_tool.',
    request: getToolDetailsRequest,
    words: { tools: 'As search_tools named them' },
    outputSchema: {
      type: 'object',
      properties: {
        tools: { type: 'array', items: { type: 'object', properties: { tool: string }, required: ['tool'] } },
      },
      required: ['tools'],
    },
    annotations: reads,
  },
  execute_tool: {
    title: 'Execute a tool',
    description:
      'Runs a tool. Answers with its output, or with an execution_id where it takes long (running) or waits for input, consent or approval (waiting): go on with resume_execution.',
    request: executeToolByRefRequest,
    words: {
      tool: 'As search_tools named it',
      input: "The tool's arguments, by its input_schema",
      idempotency_key: 'The same key never runs it twice',
      mode: 'async: answers at once; interactive: may ask you questions; stream: tells of progress',
      wait_ms: 'How long to wait for the end',
    },
    outputSchema: execution,
    annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: true },
  },
  resume_execution: {
    title: 'Resume an execution',
    description:
      'Looks how an execution is, or goes on with one that waits: with the answers to its questions, or without any once the consent or the approval was given.',
    request: resumeExecutionRequest,
    words: {
      response: 'By key of questions: {"<key>": {"action": "accept", "content": {…}}}',
      wait_ms: 'How long to wait for the end',
    },
    outputSchema: execution,
    annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: true },
  },
  cancel_execution: {
    title: 'Cancel an execution',
    description: 'Ends an execution that is not over yet.',
    request: cancelExecutionRequest,
    words: {},
    outputSchema: execution,
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  },
  list_namespaces: {
    title: 'List namespaces',
    description: 'What there is to search: groups of tools and how many each has, one level at a time.',
    request: listNamespacesRequest,
    words: { prefix: 'How they begin, e.g. "mcp://" or "worker://Google"' },
    outputSchema: {
      type: 'object',
      properties: {
        namespaces: {
          type: 'array',
          items: {
            type: 'object',
            properties: { namespace: string, tools: { type: 'integer' }, description: string },
            required: ['namespace', 'tools'],
          },
        },
        advice: string,
      },
      required: ['namespaces'],
    },
    annotations: reads,
  },
};

/** What the schema library says of a request, without what goes without saying, and with our words. */
function inputSchemaOf(request: z.ZodType, words: Words): JsonSchema {
  const { properties = {}, required } = brief(z.toJSONSchema(request, { io: 'input' })) as JsonSchema;
  const members = Object.entries(properties as object).map(([name, member]) => [
    name,
    words[name] === undefined ? member : { ...member, description: words[name] },
  ]);
  return {
    type: 'object',
    properties: Object.fromEntries(members),
    ...(required === undefined ? {} : { required }),
  };
}

/** They are checked all the same, and no model needs to read them. */
const unsaid = new Set(['minLength', 'maxLength', 'minItems', 'propertyNames', 'additionalProperties']);

function brief(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(brief);
  if (!isMembers(schema)) return schema;
  const said = Object.entries(schema).filter(([keyword]) => !unsaid.has(keyword));
  return Object.fromEntries(said.map(([keyword, value]) => [keyword, brief(value)]));
}

export const metaTools: readonly MetaTool[] = metaToolNames.map((name) => {
  const { title, description, request, words, outputSchema, annotations } = defined[name];
  const inputSchema = inputSchemaOf(request, words);
  return { name, outputSchema, listed: { name, title, description, inputSchema, outputSchema, annotations } };
});

export function isMetaTool(name: unknown): name is MetaToolName {
  return metaToolNames.includes(name as MetaToolName);
}
