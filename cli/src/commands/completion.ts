import { Argument } from 'commander';
import { bashCompletion } from '../output/completion/bash.ts';
import { fishCompletion } from '../output/completion/fish.ts';
import { placesOf } from '../output/completion/tree.ts';
import { zshCompletion } from '../output/completion/zsh.ts';
import type { AddCommand } from './command.ts';

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** `sallyport completion bash|zsh|fish`: made of the commands that there are. */
export const addCompletion: AddCommand = (program, act) => {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(scripts)))
    .description('print what completes commands in a shell: source <(sallyport completion bash)')
    .action(
      act(({ io }, shell: keyof typeof scripts) => {
        io.stdout.write(scripts[shell](placesOf(program)));
        return 'ok';
      }),
    );
};
