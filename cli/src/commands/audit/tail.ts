import { auditDecisions } from '@sallyport/contracts';
import { Option } from 'commander';
import { CommandError } from '../../command-error.ts';
import type { Printer } from '../../output/printer.ts';
import {
  type AuditFilters,
  type AuditRecord,
  followRecords,
  pastRecords,
} from '../../remote/audit-records.ts';
import { openRemote, type RemoteOptions } from '../../remote/remote.ts';
import type { AddCommand, Context, Outcome } from '../command.ts';
import { remoteOptions } from '../remote-options.ts';
import { wholeNumber } from '../whole-number.ts';

interface Options extends RemoteOptions {
  readonly follow?: boolean;
  readonly lines: number;
  readonly since?: string;
  readonly user?: string;
  readonly tool?: string;
  readonly gateway?: string;
  readonly decision?: string;
  readonly code?: string;
  readonly kind?: string;
}

/** `sallyport audit tail` */
export const addTail: AddCommand = (parent, act) => {
  const command = parent
    .command('tail')
    .description('the newest records, the newest last')
    .option('-f, --follow', 'go on with what comes, until interrupted')
    .option('-n, --lines <number>', 'how many', wholeNumber(0, 100_000), 25)
    .option('--since <time>', 'all since then: 10m, 2h, 3d, or an ISO 8601 time')
    .option('-u, --user <id>', 'of this user')
    .option('--tool <name>', 'of this tool; * and ? stand for others')
    .option('-g, --gateway <slug>', 'of this gateway')
    .addOption(new Option('--decision <decision>', 'of this decision').choices(auditDecisions))
    .option('--code <code>', 'with this code')
    .option('--kind <kind>', 'of this kind, such as tool_call or admin');
  remoteOptions(command).action(act(tail));
};

async function tail({ io, printer }: Context, options: Options): Promise<Outcome> {
  const { follow = false, lines, user: user_id, tool, gateway, decision, code, kind } = options;
  const filters: AuditFilters = { user_id, tool, gateway, decision, code, kind };
  const since = options.since === undefined ? undefined : instantOf(options.since, io.now());
  const { api } = await openRemote(io, options);
  const known = await pastRecords(
    api,
    filters,
    since === undefined ? { newest: Math.max(1, lines) } : { since },
  );
  for (const one of since === undefined ? known.slice(known.length - Math.min(lines, known.length)) : known) {
    print(printer, one);
  }
  if (!follow) return 'ok';
  try {
    for await (const one of followRecords(io, api, filters, known)) print(printer, one);
  } catch (error) {
    if (!io.signal.aborted) throw error;
  }
  return 'ok';
}

const styles = { allowed: 'green', refused: 'yellow', failed: 'red' } as const;

function print(printer: Printer, record: AuditRecord): void {
  printer.item(record);
  const { time, decision, kind, tool, user_id, gateway, code, reason, duration_ms, source } = record;
  const facts = [
    tool,
    user_id === null ? null : `for ${user_id}`,
    gateway === null ? null : `at ${gateway}`,
    source === null ? null : `by ${source}`,
    duration_ms === null ? null : `in ${Math.round(duration_ms)} ms`,
    code,
    reason === null ? null : `(${reason})`,
  ].filter((fact) => fact !== null);
  const line = `${time}  ${printer.style(styles[decision], decision.padEnd(7))}  ${kind}  ${facts.join(' ')}`;
  printer.line(line.trimEnd());
}

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function instantOf(given: string, nowMs: number): string {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(given) ?? [];
  const ms = count === undefined ? Date.parse(given) : nowMs - Number(count) * (unitMs[unit] ?? 0);
  if (Number.isNaN(ms)) {
    throw new CommandError(
      'audit.since_invalid',
      `--since takes 10m, 2h, 3d or an ISO 8601 time, not "${given}"`,
    );
  }
  return new Date(ms).toISOString();
}
