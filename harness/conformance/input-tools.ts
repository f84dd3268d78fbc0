import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  inputRequired,
  inputResponse,
  type McpServer,
  type RequestStateCodec,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { text } from './content-tools.ts';

/** What the client may be asked for, in both eras. */
type Ask = Parameters<typeof inputRequired>[0]['inputRequests'];
type State = { readonly step: number };

const stringForm = (field: string) => ({
  type: 'object' as const,
  properties: { [field]: { type: 'string' as const } },
  required: [field],
});
const sampleFor = (prompt: string, maxTokens: number) => ({
  messages: [{ role: 'user' as const, content: { type: 'text' as const, text: prompt } }],
  maxTokens,
});

/** Tools that ask the client for something: by requests of their own up to 2025-11-25, by `input_required` since. */
export function addInputTools(server: McpServer, state: RequestStateCodec<State>): void {
  addRequestingTools(server);
  addInputRequiredTools(server);
  addStatefulTools(server, state);
}

function capabilities(ctx: ServerContext): ClientCapabilities {
  const envelope: Readonly<Record<string, unknown>> = ctx.mcpReq.envelope ?? {};
  return (envelope[CLIENT_CAPABILITIES_META_KEY] as ClientCapabilities | undefined) ?? {};
}

/** Tools of 2025-11-25. The SDK turns what they ask for into requests to the client where that revision is spoken. */
function addRequestingTools(server: McpServer): void {
  const prompt = z.object({ prompt: z.string() });
  server.registerTool('test_sampling', { description: 'Samples', inputSchema: prompt }, async (args, ctx) => {
    const answer = inputResponse(ctx.mcpReq.inputResponses, 'sample');
    if (answer.kind === 'sampling') return text(`LLM response: ${JSON.stringify(answer.result.content)}`);
    const sample = inputRequired.createMessage(sampleFor(args.prompt, 100));
    return inputRequired({ inputRequests: { sample } });
  });
  const message = z.object({ message: z.string() });
  server.registerTool(
    'test_elicitation',
    { description: 'Asks', inputSchema: message },
    async (args, ctx) => {
      const field = { type: 'string' as const };
      const requestedSchema = {
        type: 'object' as const,
        properties: { username: field, email: field },
        required: ['username', 'email'],
      };
      return elicitForm(ctx, { message: args.message, requestedSchema }, (answer) => {
        return `User response: ${JSON.stringify(answer)}`;
      });
    },
  );
  const form = (name: string, properties: Form['requestedSchema']['properties']): void => {
    const requestedSchema = { type: 'object' as const, properties };
    server.registerTool(name, { description: 'Asks with a form' }, async (ctx) => {
      return elicitForm(ctx, { message: 'Please fill in the form', requestedSchema }, (answer) => {
        return `Elicitation completed: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`;
      });
    });
  };
  form('test_elicitation_sep1034_defaults', {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  });
  const options = ['option1', 'option2', 'option3'];
  const titled = (word: string) =>
    ['First', 'Second', 'Third'].map((nth, i) => ({ const: `value${i + 1}`, title: `${nth} ${word}` }));
  form('test_elicitation_sep1330_enums', {
    untitledSingle: { type: 'string', enum: options },
    titledSingle: { type: 'string', oneOf: titled('Option') },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
    titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
  });
}

type Form = Extract<
  Parameters<ServerContext['mcpReq']['elicitInput']>[0],
  { readonly requestedSchema: unknown }
>;
type Elicited = Extract<ReturnType<typeof inputResponse>, { kind: 'elicit' }>;

function elicitForm(ctx: ServerContext, form: Form, tell: (answer: Omit<Elicited, 'kind'>) => string) {
  const { kind, ...answer } = inputResponse(ctx.mcpReq.inputResponses, 'form');
  if (kind === 'elicit') return text(tell(answer as Elicited));
  return inputRequired({ inputRequests: { form: inputRequired.elicit(form) } });
}

/** One round, without state: ask until the answer is there. */
function addInputRequiredTools(server: McpServer): void {
  const asks = (name: string, run: (ctx: ServerContext) => string | NonNullable<Ask>): void => {
    server.registerTool(name, { description: 'Asks the client by input_required' }, async (ctx) => {
      const outcome = run(ctx);
      return typeof outcome === 'string' ? text(outcome) : inputRequired({ inputRequests: outcome });
    });
  };
  asks('test_input_required_result_elicitation', (ctx) => {
    const named = acceptedContent(ctx.mcpReq.inputResponses, 'user_name', z.object({ name: z.string() }));
    return named ? `Hello, ${named.name}!` : { user_name: askForm('What is your name?', 'name') };
  });
  asks('test_input_required_result_sampling', (ctx) => {
    const sampled = inputResponse(ctx.mcpReq.inputResponses, 'capital_question');
    if (sampled.kind === 'sampling') return JSON.stringify(sampled.result.content);
    return {
      capital_question: inputRequired.createMessage(sampleFor('What is the capital of France?', 100)),
    };
  });
  asks('test_input_required_result_list_roots', (ctx) => {
    const listed = inputResponse(ctx.mcpReq.inputResponses, 'client_roots');
    if (listed.kind === 'roots') return listed.roots.map((root) => root.uri).join(', ');
    return { client_roots: inputRequired.listRoots() };
  });
  asks('test_input_required_result_capabilities', (ctx) => ({
    ...(capabilities(ctx).sampling && { sample: inputRequired.createMessage(sampleFor('Say anything', 50)) }),
    ...(capabilities(ctx).elicitation && { form: askForm('Say anything', 'anything') }),
  }));
  // The SDK refuses the call where the client has not declared sampling.
  asks('test_missing_capability', () => ({
    sample: inputRequired.createMessage(sampleFor('Say anything', 50)),
  }));
  asks('test_streaming_elicitation', (ctx) => {
    const answer = inputResponse(ctx.mcpReq.inputResponses, 'form');
    return answer.kind === 'elicit' ? answer.action : { form: askForm('Anything?', 'anything') };
  });
}

export function askForm(message: string, field: string) {
  return inputRequired.elicit({ message, requestedSchema: stringForm(field) });
}

/** Several inputs or rounds: what was asked is kept in a signed state that the client carries. */
function addStatefulTools(server: McpServer, codec: RequestStateCodec<State>): void {
  const steps = (name: string, rounds: readonly NonNullable<Ask>[], done: string): void => {
    server.registerTool(name, { description: 'Asks the client, carrying state' }, async (ctx) => {
      const asked = ctx.mcpReq.requestState<State>()?.step ?? 0;
      const open = Object.keys(rounds[asked - 1] ?? {}).some(
        (key) => inputResponse(ctx.mcpReq.inputResponses, key).kind === 'missing',
      );
      const step = open ? asked - 1 : asked;
      const inputRequests = rounds[step];
      if (inputRequests === undefined) return text(done);
      return inputRequired({ inputRequests, requestState: await codec.mint({ step: step + 1 }, ctx) });
    });
  };
  const confirm = {
    confirm: inputRequired.elicit({
      message: 'Please confirm',
      requestedSchema: { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] },
    }),
  };
  steps('test_input_required_result_request_state', [confirm], 'state-ok');
  steps('test_input_required_result_tampered_state', [confirm], 'state-ok');
  steps(
    'test_input_required_result_multiple_inputs',
    [
      {
        user_name: askForm('What is your name?', 'name'),
        greeting: inputRequired.createMessage(sampleFor('Generate a greeting', 50)),
        client_roots: inputRequired.listRoots(),
      },
    ],
    'All inputs are there',
  );
  steps(
    'test_input_required_result_multi_round',
    [
      { step1: askForm('Step 1: What is your name?', 'name') },
      { step2: askForm('Step 2: What is your favorite color?', 'color') },
    ],
    'Both rounds are done',
  );
}
