import { createMailServer } from './mail-server.ts';

await createMailServer({ apiUrl: process.env.MAIL_API_URL ?? 'https://gmail.googleapis.com' }).run();
