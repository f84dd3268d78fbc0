import { errorCodes } from '@sallyport/contracts';
import { err, isMembers, type Members, ok, type Result } from '#foundation';
import type { Exchange } from '../exchange.ts';
import { type McpDeps, type Refused, recordRefused } from '../front.ts';
import type { Answer, Asked } from '../methods.ts';
import { refusalResult } from '../tool-result.ts';
import { askingOf } from './asking.ts';
import { afterConsent, takeUp } from './consent-asked.ts';
import { broughtBy, executionAnswer, isExecution, resultText } from './execution-answer.ts';
import { startedExecution } from './execution-tasks.ts';
import { type MetaToolName, metaTools } from './meta-tools.ts';
import { asMeant, runs } from './run-meta-tool.ts';

export interface CalledMetaTool {
  readonly asked: Asked;
  readonly name: MetaToolName;
  readonly args: Members;
}

/** Whether a name is one of the six here: where they stand for the tools that the caller sees. */
export async function presentsHub({ exchange }: Asked, { hub }: McpDeps): Promise<boolean> {
  const { caller, view } = exchange;
  if (hub === null || view.gateway.presentation === 'tools') return false;
  return (await hub.listed(caller, view)) === null;
}

/** Runs one of the six, as the call of a tool. */
export async function callMetaTool({ asked, name, args }: CalledMetaTool): Promise<Result<Answer, Refused>> {
  const { exchange, deps } = asked;
  const hub = deps.hub as NonNullable<McpDeps['hub']>;
  const asking = askingOf(asked, 'tools/call', name);
  const stopWaiting = deps.streams.whileWaiting(() => exchange.keepAlive());
  try {
    const brought = broughtBy(asked);
    const told =
      brought === null
        ? await runs[name](hub, asking, name === 'execute_tool' ? inWay(asked, asMeant(args)) : asMeant(args))
        : await takeUp(hub, asking, brought);
    if (!told.ok) return await metaRefusal(told.error, exchange, name, deps);
    if (!isExecution(told.value)) return ok(resultText([], JSON.stringify(told.value), told.value, false));
    if (name !== 'execute_tool') return ok(executionAnswer(asked, told.value));
    const execution = await afterConsent(asked, hub, asking, told.value);
    return ok(startedExecution(asked, execution) ?? executionAnswer(asked, execution));
  } finally {
    stopWaiting();
  }
}

/** What was named in the arguments, and is not there or does not fit, is for the model to mend: in every revision it is a result. */
async function metaRefusal(
  refused: Refused,
  exchange: Exchange,
  name: MetaToolName,
  deps: McpDeps,
): Promise<Result<Answer, Refused>> {
  const { code } = refused.refusal;
  const isForModel = errorCodes[code].rpc === null || /^(catalog|execution|request)\./.test(code);
  if (!isForModel) return err(refused);
  await recordRefused(exchange, refused, deps);
  const promised = metaTools.find((one) => one.name === name)?.outputSchema ?? null;
  return ok(refusalResult(refused.refusal, promised));
}

/**
 * A client that can be asked is asked: with a handshake while the tool runs, without one by the answer. The model need not know which.
 */
function inWay({ client }: Asked, args: Members): Members {
  const { mode = 'sync' } = args;
  if (!isMembers(client.capabilities.elicitation)) return args;
  if (client.ask !== null) return mode === 'interactive' ? { ...args, mode: 'stream' } : args;
  return mode === 'sync' || mode === 'stream' ? { ...args, mode: 'interactive' } : args;
}
