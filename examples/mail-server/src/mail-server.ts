import { createServer, type ToolServer } from '@sallyport/server';
import { z } from 'zod';
import { createMailApi } from './mail-api.ts';
import { mimeMessage } from './mime-message.ts';

const readMail = 'https://www.googleapis.com/auth/gmail.readonly';
const sendMail = 'https://www.googleapis.com/auth/gmail.send';

const reads = {
  classification: { serviceDomains: ['email'] },
  behavior: { operations: ['read'], readOnly: true, destructive: false, idempotent: true, openWorld: true },
} satisfies Parameters<ToolServer['tool']>[0]['metadata'];

const message = z.object({
  id: z.string(),
  from: z.string(),
  to: z.string(),
  subject: z.string(),
  date: z.string(),
  snippet: z.string(),
});

const oneLine = (about: string) =>
  z
    .string()
    .max(500)
    .regex(/^[^\r\n]*$/, 'must be one line')
    .describe(about);

/** Tools over the mailbox of whoever the call is for, by the Gmail API or anything that speaks it. */
export function createMailServer({ apiUrl }: { apiUrl: string }): ToolServer {
  const api = createMailApi(apiUrl);
  const app = createServer({ name: 'Mail', version: '1.0.0', description: "The user's own mailbox" });

  app.tool(
    {
      name: 'WhoAmI',
      description: 'Say whose mailbox this is',
      output: z.object({
        userId: z.string().nullable().describe('The user of the call, as the gateway knows them'),
        address: z.string().describe('The address of the mailbox'),
        messages: z.number().int().describe('How many messages are in it'),
      }),
      requires: { authorization: { providerId: 'google', scopes: [readMail] } },
      metadata: reads,
    },
    async (_input, { userId, authorization, signal }) => {
      const { emailAddress, messagesTotal } = await api.profile(authorization.token, signal);
      return { userId, address: emailAddress, messages: messagesTotal };
    },
  );

  app.tool(
    {
      name: 'ListMessages',
      description: 'List the newest messages of the mailbox',
      input: z.object({
        search: z.string().max(500).optional().describe('Only messages with these words'),
        limit: z.number().int().min(1).max(20).default(10).describe('At most this many'),
      }),
      output: z.array(message),
      requires: { authorization: { providerId: 'google', scopes: [readMail] } },
      metadata: reads,
    },
    ({ search, limit }, { authorization, signal }) => api.list(authorization.token, search, limit, signal),
  );

  app.tool(
    {
      name: 'SendMessage',
      description: 'Send a message from the mailbox',
      input: z.object({
        to: z.email().describe('The address of whom it is for'),
        subject: oneLine('What it is about'),
        body: z.string().max(20_000).describe('The text'),
      }),
      output: z.object({ id: z.string().describe('The message that was sent') }),
      requires: {
        authorization: { providerId: 'google', scopes: [sendMail] },
        secrets: ['MAIL_SIGNING_KEY'],
      },
      metadata: {
        classification: { serviceDomains: ['email'] },
        behavior: {
          operations: ['create'],
          readOnly: false,
          destructive: false,
          idempotent: false,
          openWorld: true,
        },
      },
    },
    (input, { authorization, secrets, signal }) =>
      api.send(authorization.token, mimeMessage(input, secrets.get('MAIL_SIGNING_KEY')), signal),
  );

  return app;
}
