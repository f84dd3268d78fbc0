import { resolve } from 'node:path';
import type { CallToolResult } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { CommandError } from '../../command-error.ts';
import { readText } from '../../files/read-text.ts';
import { isMapping, type Mapping } from '../../files/values.ts';
import { readAll } from '../../output/ask.ts';
import type { Io } from '../../output/io.ts';
import { executed } from '../../remote/answers.ts';
import { openRemote } from '../../remote/remote.ts';
import { adviceOf, pageOf } from '../../remote/server-refusal.ts';
import type { AddCommand, Context, Outcome } from '../command.ts';
import { remoteOptions } from '../remote-options.ts';
import { seconds } from '../whole-number.ts';
import { clientOf, type GatewayOptions, gatewayOptions } from './gateway-options.ts';

interface Options extends GatewayOptions {
  readonly input?: string;
  readonly inputFile?: string;
  readonly timeout: number;
}

/** How the hub refers to a tool: `mcp://docs.search`. */
const ofSource = /^(worker|mcp):\/\//;

const greatestInput = 16 * 1024 * 1024;

/** `sallyport tools call <tool>` */
export const addCall: AddCommand = (parent, act) => {
  const command = parent
    .command('call')
    .argument('<tool>', 'as the list shows it')
    .description('call a tool as a user; ends with 1 where it fails or is refused')
    .option('-i, --input <json>', 'its arguments as a JSON object; - reads them from stdin')
    .option('--input-file <path>', 'its arguments, from a file')
    .option('--timeout <seconds>', 'how long to wait for it', seconds, 120);
  remoteOptions(gatewayOptions(command)).action(act(call));
};

async function call(context: Context, given: string, options: Options): Promise<Outcome> {
  const { io } = context;
  const tool = given.replace(ofSource, '');
  const input = await inputOf(io, options);
  const remote = await openRemote(io, options);
  if (options.gateway !== undefined) {
    const client = await clientOf(io, remote, options.gateway, options);
    try {
      const names = (await client.tools()).map(({ name }) => name);
      const name = names.includes(tool) ? tool : tool.replaceAll('.', '_');
      const result = await client.call(name, input, options.timeout * 1000);
      return printResult(context, result);
    } finally {
      await client.close();
    }
  }
  const answer = await remote.api.ask('POST', '/tools/execute', {
    answer: executed,
    body: { tool_name: tool, input, ...(options.user === undefined ? {} : { user_id: options.user }) },
    timeoutMs: options.timeout * 1000,
  });
  context.printer.value(answer);
  if (!answer.success) {
    const { message = 'it does not say why', extra } = answer.output.error ?? {};
    return failed(context, message, extra);
  }
  printOutput(context, answer.output.value);
  return 'ok';
}

function printResult(context: Context, result: CallToolResult): Outcome {
  const { printer } = context;
  printer.value(result);
  const texts = result.content.map((part) => (part.type === 'text' ? part.text : `[${part.type}]`));
  if (result.isError === true) {
    return failed(context, texts.join('\n'), result._meta?.['sallyport/refusal']);
  }
  if (result.structuredContent !== undefined) printOutput(context, result.structuredContent);
  else for (const text of texts) printer.lines(text);
  return 'ok';
}

/** With `--json` it was printed already. */
function failed({ printer }: Context, message: string, refusal?: unknown): Outcome {
  if (printer.json) return 'problems';
  const told = refused.safeParse(refusal);
  const page = told.success ? pageOf(told.data.code) : null;
  const [first, ...more] = message.split('\n');
  printer.progress(`error: ${page === null ? 'the tool failed' : told.data?.code}: ${first}`);
  for (const line of more) printer.progress(`  ${line}`);
  const advice = adviceOf[told.data?.code ?? ''];
  if (advice !== undefined) printer.progress(`  ${advice}`);
  if (page !== null) printer.progress(`  see ${page}`);
  return 'problems';
}

/** Where it was not the tool that failed: the gateway refused the call. */
const refused = z.looseObject({ code: z.string() });

function printOutput({ printer }: Context, value: unknown): void {
  printer.lines(typeof value === 'string' ? value : JSON.stringify(value, null, 2));
}

async function inputOf(io: Io, { input, inputFile }: Options): Promise<Mapping> {
  if (input !== undefined && inputFile !== undefined) {
    throw new CommandError('input.twice', 'give the arguments by --input or by --input-file, not by both');
  }
  const [text, where] = await textOf(io, input, inputFile);
  if (text === null) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CommandError('input.invalid', `${where} is not JSON: ${(error as Error).message}`);
  }
  if (isMapping(value)) return value;
  throw new CommandError('input.invalid', `${where} must be a JSON object, such as {"text":"hello"}`);
}

async function textOf(io: Io, input?: string, inputFile?: string): Promise<[string | null, string]> {
  if (input === '-') return [await readAll(io.stdin, greatestInput), 'stdin'];
  if (inputFile === undefined) return [input ?? null, '--input'];
  const text = await readText(resolve(io.cwd, inputFile));
  if (text === null) throw new CommandError('input.missing', `there is no file ${inputFile}`);
  return [text, inputFile];
}
