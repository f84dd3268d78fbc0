import type { Command } from 'commander';
import type { Io } from '../output/io.ts';
import type { Printer } from '../output/printer.ts';

/** What an action gets beside its own arguments. */
export interface Context {
  readonly io: Io;
  readonly printer: Printer;
}

/**
 * What the action found: `problems` ends the process with 1 (findings, a failed check, a refusal that was told already),
 * anything else with 0. What goes wrong is thrown as a `CommandError`.
 */
export type Outcome = 'ok' | 'problems';

/** Wraps an action: prints its errors, and remembers how it ended. `this` of the action is not used. */
export type Act = <A extends readonly unknown[]>(
  action: (context: Context, ...args: A) => Promise<Outcome> | Outcome,
) => (...args: A) => Promise<void>;

/** Adds one verb to a noun: `program.command('lint').description(…).option(…).action(act(lint))`. */
export type AddCommand = (parent: Command, act: Act) => void;
