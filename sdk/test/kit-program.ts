import { z } from 'zod';
import { createServer } from '../src/index.ts';

const app = createServer({ name: 'Kit', version: '1.0.0' });
app.tool({ name: 'Whoami', description: 'Whoami' }, (_input, { userId }) => userId);
app.tool({ name: 'Secret', description: 'Secret', requires: { secrets: ['KEY'] } }, (_input, { secrets }) =>
  secrets.get('KEY'),
);
app.tool({ name: 'Ask', description: 'Ask' }, async (_input, { elicit }) => {
  const answer = await elicit({ message: 'name?', schema: z.object({ name: z.string() }) });
  return answer.action === 'accept' ? `hello ${answer.content.name}` : answer.action;
});
await app.run();
