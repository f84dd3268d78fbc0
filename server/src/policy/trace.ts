import type { PolicyTrace, RuleTrace } from '@sallyport/contracts';
import type { Refusal, Subject } from '#domain';
import { err, type Result } from '#foundation';
import type { Asking, PolicyRefusal } from './contract.ts';

const maxGroups = 50;
const maxClaimText = 256;
const maxPlaces = 20;

/** The beginning of a trace: what is known before anything is asked. */
export function newTrace(
  { caller, gateway }: Asking,
  version: string,
  grants: readonly string[],
  claimNames: ReadonlySet<string>,
): PolicyTrace {
  return {
    version,
    access: gateway?.access ?? 'open',
    grants: [...grants],
    rules: [],
    limits: [],
    hooks: [],
    ...knownBy(caller, claimNames),
  };
}

/** Claims that no rule speaks of are nobody's business. */
function knownBy({ groups, claims }: Subject, names: ReadonlySet<string>): Partial<PolicyTrace> {
  const known: Partial<PolicyTrace> = {};
  if (groups.length > 0) known.groups = groups.slice(0, maxGroups);
  for (const name of names) {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    if (value === undefined || JSON.stringify(value).length > maxClaimText) continue;
    known.claims = { ...known.claims, [name]: value };
  }
  return known;
}

/** What was asked of limits or hooks, told in the trace; a refusal takes the whole trace along. */
export function traced<Told, Value extends { readonly traces: readonly Told[] }>(
  trace: PolicyTrace,
  told: Told[],
  answered: Result<Value, Refusal & { readonly traces: readonly Told[] }>,
): Result<Value, PolicyRefusal> {
  told.push(...(answered.ok ? answered.value : answered.error).traces);
  if (answered.ok) return answered;
  const { traces: _told, ...refused } = answered.error;
  return err({ ...refused, policy: trace });
}

/** What rules did in several parts of one call is told as one. */
export function addRules(trace: PolicyTrace, added: readonly RuleTrace[]): void {
  for (const one of added) {
    const known = trace.rules.find(({ id, outcome }) => id === one.id && outcome === one.outcome);
    if (known === undefined) trace.rules.push({ ...one, places: one.places.slice(0, maxPlaces) });
    else {
      known.count += one.count;
      known.places = [...new Set([...known.places, ...one.places])].slice(0, maxPlaces);
    }
  }
}
