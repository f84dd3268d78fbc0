import type { LimitRequest } from '@sallyport/contracts';
import { type Refusal, refusal } from '#domain';
import type { LimitedCall, LimitTrace } from './contract.ts';
import { noPlace, type WaitMs } from './counts.ts';
import type { Asked } from './limit.ts';

export type RefusedCall = Refusal & { readonly traces: readonly LimitTrace[] };

/** The refusal of a call that has to wait for some of its limits: told is the one that it waits for longest. */
export function refusedCall(
  { target }: LimitedCall,
  asked: readonly Asked[],
  waits: readonly WaitMs[],
): RefusedCall {
  const traces = asked.map(
    ({ limit: { passed } }, at): LimitTrace => (waits[at] === 0 ? passed : { ...passed, outcome: 'refused' }),
  );
  const longest = Math.max(0, ...waits.filter((wait) => wait !== noPlace));
  const { limit } = asked[waits.indexOf(longest === 0 ? noPlace : longest)] as Asked;
  const { id, definition } = limit.entry;
  const about = { details: { limit: { id, name: definition.name } } };
  const name = JSON.stringify(definition.name);
  if (longest === 0) {
    const message = `limit ${name} is reached for ${target.ruleName} (${calls(limit.places ?? 0)} at once for ${inWords(definition.per)}); try again when one of them has ended`;
    return { ...refusal('policy.concurrency_limited', message, about), traces };
  }
  const message = `limit ${name} is exceeded for ${target.ruleName} (${rateInWords(definition)} for ${inWords(definition.per)}); try again in ${waitInWords(longest)}`;
  return { ...refusal('policy.rate_limited', message, { ...about, retryAfterMs: longest }), traces };
}

const calls = (count: number) => (count === 1 ? 'one call' : `${count} calls`);

function rateInWords({ rate }: LimitRequest): string {
  const seconds = rate?.per_seconds ?? 1;
  return `${calls(rate?.limit ?? 0)} ${periods[seconds] ?? `in ${seconds} s`}`;
}

const periods: Readonly<Record<number, string>> = {
  1: 'a second',
  60: 'a minute',
  3600: 'an hour',
  86400: 'a day',
};

const dimensions = { user: 'user', key: 'API key', tool: 'tool', gateway: 'gateway' };

function inWords(per: LimitRequest['per']): string {
  const apart = per.flatMap((dimension) => (dimension === 'project' ? [] : [dimensions[dimension]]));
  return apart.length === 0 ? 'all together' : `each ${apart.join(' and ')}`;
}

function waitInWords(waitMs: number): string {
  const seconds = Math.ceil(waitMs / 1000);
  if (seconds <= 120) return `${seconds} s`;
  if (seconds <= 7200) return `${Math.ceil(seconds / 60)} min`;
  return `${Math.ceil(seconds / 3600)} h`;
}
