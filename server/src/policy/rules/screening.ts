import { Fault, inTime } from '#foundation';
import { matchesSubject } from '../matching.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { Document, RuleFacts, RulePlan, Screening } from './contract.ts';
import { findsIn, placeOf } from './places.ts';
import { createPrefilter } from './prefilter.ts';
import { type Redaction, redacted } from './redaction.ts';
import { type Hits, redacts, type Search, searched } from './search.ts';
import { blockedBy, blocks, isHeld, traceOf, type Verdict } from './verdicts.ts';

const maxBytes = 16 * 1024 * 1024;

/** Longest that rules may hold up everybody else, each time that they look at a document. */
const maxMs = 2000;
/** Looking at what is longer is ended in time; at these lengths nothing takes long. */
const unwatchedSearch = 4096;
const unwatchedPrefilter = 65_536;

const nothing: Screening = { json: null, blocked: null, held: [], traces: [] };

/** A rule that looks for something, and where it stands among all. */
interface PlacedSearch extends Search {
  readonly nth: number;
}

type Attempt<T> = { readonly value: T } | { readonly error: string };

/** `onSpoiled` is called when something was ended in its midst, so that nothing that it used can be used again. */
export function createPlan(rules: readonly CompiledRule[], onSpoiled: () => void): RulePlan {
  const searches = rules.flatMap(({ entry, sought, broken }, nth): PlacedSearch[] =>
    sought === null || broken !== null ? [] : [{ entry, sought, nth }],
  );
  const others = rules
    .map((rule, nth) => ({ rule, nth }))
    .filter(({ rule }) => rule.sought === null || rule.broken !== null);
  const prefilter = createPrefilter(searches.map(({ sought }) => sought));

  function candidates({ json }: Document): Attempt<readonly PlacedSearch[]> {
    if (searches.length === 0) return { value: searches };
    if (json.length > maxBytes / 3 && Buffer.byteLength(json) > maxBytes)
      return { error: `it is larger than ${maxBytes / 1024 / 1024} MiB` };
    const watched = json.length > unwatchedPrefilter;
    const found = attempt(watched, () => prefilter.candidates(json), onSpoiled);
    if ('error' in found) return found;
    return { value: found.value?.map((nth) => searches[nth] as PlacedSearch) ?? searches };
  }

  return {
    screen(document, facts) {
      const asked = candidates(document);
      if (others.length === 0 && 'value' in asked && asked.value.length === 0) return nothing;
      const verdicts: Verdict[] = [];
      const add = (nth: number, said: Omit<Verdict, 'entry'>): Verdict | null => {
        const verdict = verdictOf(rules[nth] as CompiledRule, facts, said);
        if (verdict !== null) verdicts[nth] = verdict;
        return verdict;
      };
      for (const { rule, nth } of others)
        add(nth, { count: 1, places: [document.at || '$'], error: rule.broken });

      const concerned = ('value' in asked ? asked.value : searches).filter(({ entry }) =>
        matchesSubject(entry.definition.subjects, facts.subject),
      );
      const watched = document.json.length > unwatchedSearch;
      const found =
        'error' in asked ? asked : attempt(watched, () => searched(document, concerned), onSpoiled);
      if ('error' in found) {
        for (const { nth } of concerned) add(nth, { count: 0, places: [], error: found.error });
        return settled(verdicts, [], () => ({ value: null }));
      }
      const redactions = judged(document, concerned, found.value, add);
      return settled(verdicts, redactions, () =>
        attempt(watched, () => redacted(document, redactions), onSpoiled),
      );
    },
  };
}

function attempt<T>(watched: boolean, work: () => T, onSpoiled: () => void): Attempt<T> {
  try {
    return { value: watched ? inTime(maxMs, work) : work() };
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
      onSpoiled();
      return { error: `it took longer than ${maxMs} ms` };
    }
    // Whatever else is thrown may repeat what it was given.
    return { error: error instanceof Fault ? error.message : 'it could not be read' };
  }
}

/** Gives the verdicts of all that found something, and returns what is to be redacted. */
function judged(
  { at }: Document,
  searches: readonly PlacedSearch[],
  found: readonly Hits[],
  add: (nth: number, said: Omit<Verdict, 'entry'>) => Verdict | null,
): readonly Redaction[] {
  const redactions: Redaction[] = [];
  const isFind = findsIn(
    searches.flatMap(({ sought }) => sought.finder ?? []),
    found.map(({ taken }) => taken),
  );
  for (const [index, search] of searches.entries()) {
    const hits = found[index] as Hits;
    if (hits.count === 0) continue;
    const places = hits.places.map((trail) => placeOf(at, trail, isFind));
    const verdict = add(search.nth, { count: hits.count, places, error: null });
    if (verdict?.error === null && redacts(search)) redactions.push({ search, hits });
  }
  return redactions;
}

/** Subjects and condition are asked only now that there is something to say. `null`: the rule is not about this. */
function verdictOf(
  { entry, condition }: CompiledRule,
  facts: RuleFacts,
  said: Omit<Verdict, 'entry'>,
): Verdict | null {
  if (!matchesSubject(entry.definition.subjects, facts.subject)) return null;
  const held = condition?.evaluate(facts);
  if (held?.ok === true && !held.value) return null;
  if (held?.ok === false && said.error === null)
    return { entry, ...said, error: `the condition: ${held.error}` };
  return { entry, ...said };
}

function settled(
  sparse: readonly Verdict[],
  redactions: readonly Redaction[],
  redact: () => Attempt<string | null>,
): Screening {
  let verdicts = sparse.filter((verdict) => verdict !== undefined);
  const blocked = verdicts.find(blocks);
  const done = blocked !== undefined || redactions.length === 0 ? { value: null } : redact();
  if ('error' in done) {
    const failed = new Set(redactions.map(({ search }) => search.entry));
    verdicts = verdicts.map((verdict) =>
      failed.has(verdict.entry) ? { ...verdict, error: done.error } : verdict,
    );
  }
  const blocking = blocked ?? verdicts.find(blocks);
  return {
    json: 'value' in done ? done.value : null,
    blocked: blocking === undefined ? null : blockedBy(blocking),
    held: verdicts.filter(isHeld).map(({ entry }) => entry),
    traces: verdicts.map(traceOf),
  };
}
