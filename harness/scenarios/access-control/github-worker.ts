import { createServer, type RunningServer, ToolError } from '@sallyport/server';
import { z } from 'zod';
import { contributor, type Desk, secretNumber, slowAnswer } from './desk.ts';

/** What the toolkit has, by name. */
export const githubTools = [
  'CreateIssue',
  'FailContributor',
  'GetContributor',
  'GetIssue',
  'Slow',
  'Whoami',
] as const;

/** A toolkit like GitHub's, as a worker; at `/mcp` the same tools, for gateways that know no workers. */
export function startGithubWorker(desk: Desk, secret: string, strict: boolean): Promise<RunningServer> {
  const app = createServer({ name: 'Github', version: '1.0.0' });
  const enter = (tool: (typeof githubTools)[number]) => desk.enter({ toolkit: 'Github', tool });
  app.tool({ name: 'GetIssue', description: 'Reads an issue' }, async () => {
    await enter('GetIssue');
    return { number: 1, title: 'It does not work' };
  });
  app.tool(
    {
      name: 'CreateIssue',
      description: 'Creates an issue',
      input: z.object({
        title: z.string(),
        body: z.string().optional(),
        labels: z.array(z.object({ name: z.string() })).optional(),
      }),
    },
    async ({ title }) => {
      await enter('CreateIssue');
      return { number: 2, title };
    },
  );
  app.tool({ name: 'GetContributor', description: 'Reads who contributed' }, async () => {
    await enter('GetContributor');
    return contributor;
  });
  app.tool({ name: 'FailContributor', description: 'Fails to read who contributed' }, async () => {
    await enter('FailContributor');
    throw new ToolError(`no contributor has the number ${secretNumber}`, {
      kind: 'TOOL_RUNTIME_RETRY',
      additionalPromptContent: `Ask for another number than ${secretNumber}.`,
    });
  });
  app.tool({ name: 'Slow', description: 'Takes its time' }, async () => {
    await enter('Slow');
    return slowAnswer;
  });
  app.tool({ name: 'Whoami', description: 'Says whom the call is for' }, async (_input, { userId }) => {
    await enter('Whoami');
    return userId;
  });
  return app.listen({ port: 0, workerSecret: secret, strict, env: {} });
}
