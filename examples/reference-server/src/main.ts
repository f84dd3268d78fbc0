import { ContextRequiredToolError, createServer } from '@sallyport/server';
import { z } from 'zod';

const app = createServer({
  name: 'ArcadeEvalRef',
  version: '1.0.0',
  description: 'Three small tools to check a gateway with',
});

const harmless = {
  behavior: { operations: ['read'], readOnly: true, destructive: false, idempotent: true, openWorld: false },
} satisfies Parameters<typeof app.tool>[0]['metadata'];

app.tool(
  {
    name: 'Echo',
    description: 'Return the given text',
    input: z.object({ text: z.string().describe('The text to return') }),
    output: z.string().describe('The same text'),
    metadata: harmless,
  },
  ({ text }) => text,
);

app.tool(
  {
    name: 'Add',
    description: 'Add two numbers',
    input: z.object({
      a: z.number().describe('The first number'),
      b: z.number().describe('The second number'),
    }),
    output: z.number().describe('The sum'),
    metadata: harmless,
  },
  ({ a, b }) => a + b,
);

app.tool(
  {
    name: 'Whoami',
    description: 'Return the id of the user the call is for',
    output: z.string().describe('The user id'),
    metadata: harmless,
  },
  (_input, { userId }) => {
    if (userId !== null) return userId;
    throw new ContextRequiredToolError('no user', {
      additionalPromptContent: 'The call must come through a gateway that says which user it is for.',
    });
  },
);

await app.run();
