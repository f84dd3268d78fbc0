import type {
  InputRequiredResult,
  ServerContext,
  StandardSchemaWithJSON,
} from '@modelcontextprotocol/server';
import { inputRequired, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { ToolError } from './errors.ts';
import { jsonSchemaOf } from './json-schema-of.ts';
import type { ToolContext } from './tool-context.ts';

export interface Elicitation {
  elicit: ToolContext['elicit'];
  /** The question to send to the client instead of a result, once the handler has asked one. */
  pending(): InputRequiredResult | null;
}

const answerSchema = z.object({
  action: z.enum(['accept', 'decline', 'cancel']),
  content: z.record(z.string(), z.unknown()).optional(),
});
const answersSchema = z.record(z.string(), answerSchema);

/**
 * Questions to the user across rounds: a handler runs again from its start for every answer. The answers so far ride
 * in `requestState`, unsigned, because they are the client's own words either way and each is checked against its
 * question's schema when it is used.
 */
export function createElicitation(context: ServerContext, canAsk: boolean): Elicitation {
  const answers = { ...earlierAnswers(context), ...newAnswers(context) };
  let asked = 0;
  let pending: InputRequiredResult | null = null;
  return {
    pending: () => pending,
    elicit: async ({ message, schema }) => {
      if (!canAsk) {
        throw new ToolError('the user cannot be asked over stateless HTTP before MCP 2026-07-28', {
          kind: 'TOOL_RUNTIME_CONTEXT_REQUIRED',
        });
      }
      const key = `question-${++asked}`;
      const answer = answers[key];
      if (answer === undefined) {
        pending = inputRequired({
          inputRequests: { [key]: inputRequired.elicit({ message, requestedSchema: listable(schema) }) },
          requestState: JSON.stringify(answers),
        });
        throw new ToolError('waiting for the user');
      }
      if (answer.action !== 'accept') return { action: answer.action };
      const result = await schema['~standard'].validate(answer.content ?? {});
      if (result.issues === undefined) return { action: 'accept', content: result.value };
      throw new ToolError(`the answer to "${message}" does not fit: ${result.issues[0]?.message ?? ''}`, {
        kind: 'TOOL_RUNTIME_BAD_INPUT_VALUE',
        statusCode: 400,
      });
    },
  };
}

function listable(schema: Parameters<typeof jsonSchemaOf>[0]): StandardSchemaWithJSON {
  const standard = schema['~standard'];
  const jsonSchema = {
    input: () => jsonSchemaOf(schema, 'input'),
    output: () => jsonSchemaOf(schema, 'output'),
  };
  return { '~standard': { ...standard, jsonSchema } } as StandardSchemaWithJSON;
}

function newAnswers(context: ServerContext): z.infer<typeof answersSchema> {
  return answersSchema.safeParse(context.mcpReq.inputResponses ?? {}).data ?? {};
}

function earlierAnswers(context: ServerContext): z.infer<typeof answersSchema> {
  const state = context.mcpReq.requestState<string>();
  if (state === undefined) return {};
  try {
    return answersSchema.parse(JSON.parse(state));
  } catch {
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'requestState is not what this server sent');
  }
}
