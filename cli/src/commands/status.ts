import type { z } from 'zod';
import { parsedJson } from '../files/values.ts';
import { readiness, status } from '../remote/answers.ts';
import { openRemote, type Remote, type RemoteOptions } from '../remote/remote.ts';
import { send } from '../remote/send.ts';
import { ServerRefusal } from '../remote/server-refusal.ts';
import type { AddCommand, Context, Outcome } from './command.ts';
import { remoteOptions } from './remote-options.ts';

/** `sallyport status`: what is wrong now, and what to do about it. */
export const addStatus: AddCommand = (program, act) => {
  const command = program
    .command('status')
    .description('what is wrong with the Sallyport now; ends with 1 where something is');
  remoteOptions(command).action(act(show));
};

const styles = { down: 'red', degraded: 'yellow', notice: 'cyan', ok: 'green' } as const;

async function show({ io, printer }: Context, options: RemoteOptions): Promise<Outcome> {
  const remote = await openRemote(io, options);
  const { ready, missing } = await readinessOf(remote, io);
  const told = await statusOf(remote);
  const problems = told?.problems ?? [];
  const state = ready ? (told?.status ?? 'ok') : 'down';
  printer.value({ url: remote.url, ready, missing, ...told, status: state, problems });

  const version = told === null ? '' : ` ${told.version}`;
  printer.line(`Sallyport${version} at ${remote.url}: ${printer.style(styles[state], state)}`);
  if (!ready) printer.line(`It is not ready: ${missing ?? 'it does not say why'}.`);
  if (told === null) printer.line('Who is signed in may not look at more: that takes the scope "read".');
  else {
    const { sources, traffic } = told;
    printer.line(
      `${sources.healthy_count} of ${sources.count} sources can be called. In the last ${traffic.window_seconds} s: ` +
        `${traffic.allowed} calls, ${traffic.refused} refused, ${traffic.failed} failed.`,
    );
  }
  for (const { severity, code, what, since, advice, docs } of problems) {
    printer.line();
    printer.line(`${printer.style(styles[severity], severity)}  ${code}  ${what}`);
    if (since !== null) printer.line(`  since ${since}`);
    printer.line(`  ${advice}`);
    printer.line(`  see ${docs}`);
  }
  return state === 'ok' ? 'ok' : 'problems';
}

async function readinessOf(remote: Remote, io: Context['io']): Promise<z.infer<typeof readiness>> {
  const incoming = await send(io, { method: 'GET', url: `${remote.url}/readyz`, timeoutMs: 15_000 });
  const told = readiness.safeParse(parsedJson(incoming.text));
  return told.success
    ? told.data
    : { ready: false, missing: `/readyz answered ${incoming.status}, and not as a Sallyport does` };
}

/** `null`: whoever asks may not look at it. */
async function statusOf({ api }: Remote): Promise<z.infer<typeof status> | null> {
  try {
    return await api.ask('GET', '/status', { answer: status });
  } catch (error) {
    if (error instanceof ServerRefusal && error.status !== 401) return null;
    throw error;
  }
}
