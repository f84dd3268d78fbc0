import type { Command } from 'commander';

/** What can be typed after these words. */
export interface Place {
  /** `tools call`; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly Choice[];
  readonly options: readonly CompletedOption[];
  /** Of the first argument, where they are known. */
  readonly choices: readonly string[];
}

export interface Choice {
  readonly word: string;
  readonly says: string;
}

export interface CompletedOption extends Choice {
  readonly short: string | null;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** Every place of a program: itself, its commands and theirs. */
export function placesOf(program: Command): Place[] {
  const common = optionsOf(program);
  const walk = (command: Command, path: readonly string[]): Place[] => [
    {
      path: path.join(' '),
      commands: command.commands.map((one) => ({ word: one.name(), says: sentence(one.description()) })),
      options: [...optionsOf(command), ...(path.length === 0 ? [] : common), help],
      choices: command.registeredArguments[0]?.argChoices ?? [],
    },
    ...command.commands.flatMap((one) => walk(one, [...path, one.name()])),
  ];
  return walk(program, []);
}

const help: CompletedOption = {
  word: '--help',
  short: '-h',
  says: 'what there is',
  takesValue: false,
  choices: [],
};

function optionsOf(command: Command): CompletedOption[] {
  return command.options
    .filter(({ long, hidden }) => long !== null && long !== undefined && !hidden)
    .map(({ long, short, description, required, optional, argChoices }) => ({
      word: long as string,
      short: short ?? null,
      says: sentence(description),
      takesValue: required || optional,
      choices: argChoices ?? [],
    }));
}

/** One line, and nothing that means something to a shell. */
function sentence(text: string): string {
  return (text.split('\n')[0] ?? '').replaceAll(/["'`$\\:[\]]/g, '');
}
