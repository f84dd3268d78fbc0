import { startStandIn } from './stand-in.ts';

/** The stand-in by itself. Stdout says where it listens, for the program that started it. */
const { url } = await startStandIn({
  port: Number(process.env.STAND_IN_PORT ?? 8801),
  clientId: 'mail-story',
  clientSecret: 'not-a-secret-on-loopback',
});
process.stdout.write(`${JSON.stringify({ listening: url })}\n`);
