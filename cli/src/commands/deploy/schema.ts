import { InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { conventions } from '../../spec/conventions.ts';
import { serverSpec } from '../../spec/server-spec.ts';
import type { AddCommand } from '../command.ts';

const schemas = { server: serverSpec, conventions } as const;

/** `sallyport deploy schema server|conventions`: the JSON Schema that editors complete by. */
export const addSchema: AddCommand = (parent, act) => {
  parent
    .command('schema')
    .argument('<file>', 'server (server.yaml) or conventions (conventions.yaml)', (given) => {
      if (given === 'server' || given === 'conventions') return given;
      throw new InvalidArgumentError('there are server and conventions');
    })
    .description('print the JSON Schema of server.yaml or conventions.yaml, for editors')
    .action(
      act(({ io }, which: keyof typeof schemas) => {
        const schema = z.toJSONSchema(schemas[which], { io: 'input', target: 'draft-7' });
        io.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
        return 'ok';
      }),
    );
};
