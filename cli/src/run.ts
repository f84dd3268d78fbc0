import { Command, CommanderError, Option } from 'commander';
import { CommandError } from './command-error.ts';
import type { Act, Outcome } from './commands/command.ts';
import { addCommands } from './commands/index.ts';
import type { Io } from './output/io.ts';
import { printable } from './output/printable.ts';
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
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (io.signal.aborted && !(error instanceof CommandError)) {
      io.stderr.write('interrupted\n');
      return 1;
    }
    tell(error, io, args.includes('--json'));
    return 1;
  }
}

function prepare(program: Command, io: Io): void {
  program
    .description('MCP servers, from a folder to a verified tool list on Kubernetes; and a running Sallyport')
    .version(version)
    .addOption(new Option('--json', 'print what was found as JSON'))
    .showHelpAfterError('(--help says what there is)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
    });
}

function tell(error: unknown, io: Io, json: boolean): void {
  if (!(error instanceof CommandError)) {
    io.stderr.write(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return;
  }
  if (json) {
    const { code, message, details } = error;
    io.stdout.write(`${JSON.stringify({ error: { code, message, details } }, null, 2)}\n`);
    return;
  }
  io.stderr.write(`error: ${printable(error.message)}\n`);
  for (const detail of error.details) io.stderr.write(`  ${printable(detail)}\n`);
}
