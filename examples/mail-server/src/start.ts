import { createMailServer } from './mail-server.ts';
import { startStandIn } from './stand-in/stand-in.ts';

/** The mail server, as a worker, and a stand-in for Google: with `sallyport.yaml` beside it, all that the story needs. */
const standIn = await startStandIn({
  port: 8801,
  clientId: 'mail-story',
  clientSecret: 'not-a-secret-on-loopback',
});
const worker = await createMailServer({ apiUrl: standIn.url }).listen({
  port: 8800,
  workerSecret: process.env.MAIL_WORKER_SECRET ?? 'only-for-the-story-on-this-machine',
});
console.log(`
  mail server           ${worker.url}
  stand-in for Google   ${standIn.url}, with the mailboxes of alice@mail.example and bob@mail.example

Now start the gateway, from the root of the repository in another terminal:

  SALLYPORT_CONFIG=examples/mail-server/sallyport.yaml SALLYPORT_ADMIN_KEY=sp_mail_story_key npm start
`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void Promise.all([worker.stop(), standIn.stop()]).then(() => process.exit(0));
  });
}
