import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type GatewayProcess, startGateway } from '../gateway-process.ts';
import { residentOf } from './process-usage.ts';
import { type CallOutcome, startCaller } from './soak-caller.ts';
import { createAdmin, startFaults, type Times } from './soak-faults.ts';
import { startUpstream } from './stand.ts';

/**
 * `npm run soak [-- --seconds 1800] [--per-second 200]`: a bounded load over a long time, while sources are killed and
 * started again, keys are revoked, and grants and rules come and go. It fails where an answer is not what the faults of that
 * moment explain, where a call that was answered has not exactly one audit record, where the chain of the audit is broken, or
 * where memory goes on growing.
 */
const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '1800' },
    'per-second': { type: 'string', default: '200' },
  },
});
const seconds = Number(options.seconds);
const perSecond = Number(options['per-second']);
const callers = 8;
const slug = 'soak';

function config(origin: string) {
  return {
    workers: [
      { id: 'bench', http: { uri: origin, secret: 'the-secret-of-the-soak-worker' } },
      { id: 'relay', mcp: { uri: `${origin}/mcp` } },
    ],
    gateways: [
      {
        name: 'Soak',
        slug,
        auth_types: ['arcade_header'],
        access: 'granted',
        tool_filter: { allowed_tools: ['Bench.*', 'relay.*'] },
      },
    ],
    grants: [{ subject: { everyone: true }, tools: ['*'], gateway: slug, effect: 'allow' }],
  };
}

interface Sample {
  readonly atMs: number;
  readonly mb: number;
}

async function run(gateway: GatewayProcess, port: number): Promise<string[]> {
  const admin = createAdmin(gateway);
  const times: Times = { downs: [], revoked: new Map(), forbidden: [] };
  const unexplained: string[] = [];
  const tally = new Map<string, number>();
  let recorded = 0;
  const onOutcome = (outcome: CallOutcome): void => {
    const said = outcome.code ?? 'ok';
    tally.set(said, (tally.get(said) ?? 0) + 1);
    // Whom nobody knows has a record of another kind.
    if (outcome.status !== 401) recorded += 1;
    const fault = unexplainedBy(outcome, times);
    if (fault !== null && unexplained.length < 20) unexplained.push(fault);
    else if (fault !== null) unexplained.push('');
  };
  const running = Array.from({ length: callers }, (_, index) =>
    startCaller({ gateway, slug, index, everyMs: (callers * 1000) / perSecond, admin, onOutcome }),
  );
  const faults = startFaults({ port, slug, admin, times, callers: running });
  const samples: Sample[] = [];
  const startedAt = performance.now();
  while (performance.now() - startedAt < seconds * 1000) {
    samples.push({ atMs: performance.now() - startedAt, mb: residentOf(gateway.pid) });
    await pause(Math.min(5000, seconds * 20));
  }
  await faults.end().finally(() => Promise.all(running.map((caller) => caller.stop())));
  await faults.takeDown();
  const said = [...tally].map(([code, count]) => `${count} ${code}`).join(', ');
  console.log(`Calls: ${said}. Faults: ${faults.summary()}.`);
  return [
    ...unexplained.filter((line) => line !== ''),
    ...(unexplained.length > 20 ? [`… ${unexplained.length - 20} more answers that nothing explains`] : []),
    ...(await auditFaults(admin, recorded)),
    ...memoryFaults(samples),
  ];
}

/** Why the answer is none that could come at that time; null where it could. */
function unexplainedBy(
  { status, code, beganAt, endedAt, key, user, detail }: CallOutcome,
  times: Times,
): string | null {
  const overlaps = (periods: Times['downs']) =>
    periods.some(({ from, until }) => from <= endedAt && (until === null || until >= beganAt));
  const revoked = times.revoked.get(key);
  const mayBeRefused = revoked !== undefined && revoked.askedAt <= endedAt;
  const mustBeRefused = revoked?.doneAt !== undefined && revoked.doneAt < beganAt;
  const told = `${code ?? 'ok'} (HTTP ${status}) for ${user}: ${detail}`;
  if (mustBeRefused && status !== 401) return `a revoked key was let in: ${told}`;
  if (status === 401) return mayBeRefused ? null : `a good key was refused: ${told}`;
  const forbidden = times.forbidden.filter((one) => one.user === user);
  const isForbidden = forbidden.some(
    ({ doneAt, liftedAt }) =>
      doneAt !== null && doneAt < beganAt && (liftedAt === null || liftedAt > endedAt),
  );
  if (code === null) return isForbidden ? `what policy forbids was let through: ${told}` : null;
  if (code.startsWith('policy.') || code === 'catalog.tool_unknown')
    return overlaps(forbidden) ? null : `nothing forbade this: ${told}`;
  if (code.startsWith('source.') || code === 'catalog.tool_unavailable')
    return overlaps(times.downs) ? null : `the source was there: ${told}`;
  return `nothing explains this: ${told}`;
}

type Admin = ReturnType<typeof createAdmin>;

async function auditFaults(admin: Admin, answered: number): Promise<string[]> {
  const { total_count: records } = await admin<{ total_count: number }>(
    'GET',
    '/v1/audit_events?kind=tool_call&limit=1',
  );
  const chain = await admin<{ valid: boolean }>('GET', '/v1/audit_events/verify');
  console.log(
    `Audit: ${records} records of ${answered} answered calls; the chain ${chain.valid ? 'holds' : 'is broken'}.`,
  );
  return [
    ...(records === answered ? [] : [`${answered} calls were answered and ${records} are recorded`]),
    ...(chain.valid ? [] : ['the chain of the audit is broken']),
  ];
}

/** Growth from the second third to the last, beyond what caches and garbage explain. */
function memoryFaults(samples: readonly Sample[]): string[] {
  const median = (of: readonly Sample[]) =>
    of.map(({ mb }) => mb).sort((a, b) => a - b)[Math.floor(of.length / 2)] ?? 0;
  const third = Math.floor(samples.length / 3);
  const [middle, last] = [median(samples.slice(third, 2 * third)), median(samples.slice(2 * third))];
  console.log(`Memory: ${middle.toFixed(0)} MB in the second third, ${last.toFixed(0)} MB in the last.`);
  return last > middle * 1.15 + 40 ? ['memory goes on growing'] : [];
}

const upstream = await startUpstream(50, []);
const port = Number(new URL(upstream.origin).port);
const gateway = await startGateway(config(upstream.origin)).catch(async (error) => {
  await upstream.stop();
  throw error;
});
await upstream.stop();
try {
  const faults = await run(gateway, port);
  for (const fault of faults) console.log(`FAULT: ${fault}`);
  console.log(
    faults.length === 0 ? 'The soak found nothing wrong.' : `The soak found ${faults.length} faults.`,
  );
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  await gateway.stop();
}
