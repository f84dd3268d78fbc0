import { Command, CommanderError, Option } from 'commander';
import { CommandError } from './command-error.ts';
import type { Act, Outcome } from './commands/command.ts';
import { addCommands } from './commands/index.ts';
import type { Io } from './output/io.ts';
import { printable, printableLine } from './output/printable.ts';
import { createPrinter } from './output/printer.ts';
import { version } from './version.ts';

/**
 * Runs one command line, without `node` and the script's name. Ends with the exit code: 0 done, 1 something is wrong and
 * was told, 2 the command line itself is.
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let outcome: Outcome = 'ok';
  const program = new Command('sallyport');
  const act: Act =
    (action) =>
    async (...given) => {
      const printer = createPrinter(io, program.opts().json === true);
      outcome = await action({ io, printer }, ...given);
    };
  prepare(program, io);
  addCommands(program, act);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return outcome === 'ok' ? 0 : 1;
  } catch (error) {
    const json = args.includes('--json');
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      if (json) tell(misuse(error), io, json);
      return 2;
    }
    const isStopped = io.signal.aborted && !(error instanceof CommandError);
    tell(isStopped ? new CommandError('interrupted', 'interrupted') : error, io, json);
    return 1;
  }
}

/** Help was printed in place of an answer, where the command line names no command. */
const misuse = ({ code, message }: CommanderError): CommandError =>
  new CommandError('usage', code === 'commander.help' ? 'no command' : message.replace(/^error: /, ''));

function prepare(program: Command, io: Io): void {
  program
    .description('MCP servers, from a folder to a verified tool list on Kubernetes; and a running Sallyport')
    .version(version)
    .addOption(new Option('--json', 'print what was found as JSON'))
    .showHelpAfterError('(--help says what there is)')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
    });
}

function tell(error: unknown, io: Io, json: boolean): void {
  if (!(error instanceof CommandError))
    io.stderr.write(`error: ${printable(traceOf(error)).replaceAll('\n', '\n  ')}\n`);
  const told =
    error instanceof CommandError
      ? error
      : new CommandError('internal', error instanceof Error ? error.message : String(error));
  const { code, message, details } = told;
  if (json) {
    io.stdout.write(`${JSON.stringify({ error: { code, message, details } }, null, 2)}\n`);
  } else if (code === 'interrupted') {
    io.stderr.write('interrupted\n');
  } else if (told === error) {
    io.stderr.write(`error: ${printableLine(message)}\n`);
    for (const detail of details) io.stderr.write(`  ${printableLine(detail)}\n`);
  }
}

const traceOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
