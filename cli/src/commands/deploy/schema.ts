import { Argument } from 'commander';
import { jsonSchema } from '../../spec/json-schema.ts';
import type { AddCommand } from '../command.ts';

/** `sallyport deploy schema server|conventions`: the JSON Schema that editors complete by. */
export const addSchema: AddCommand = (parent, act) => {
  parent
    .command('schema')
    .addArgument(
      new Argument('<file>', 'of server.yaml, or of conventions.yaml').choices(['server', 'conventions']),
    )
    .description('print the JSON Schema of server.yaml or conventions.yaml, for editors')
    .action(
      act(({ io }, which: 'server' | 'conventions') => {
        io.stdout.write(jsonSchema(which));
        return 'ok';
      }),
    );
};
