import { createHash } from 'node:crypto';
import type { Catalog } from '#catalog';
import type { Tool } from '#domain';
import type { Clock } from '#foundation';
import type { Db } from '#storage';
import { createBest } from './best.ts';
import type {
  GovernanceAdministration,
  LearnedQuery,
  MissingNeed,
  ReviewItem,
  ReviewPage,
} from './contract.ts';
import { type AboutDeps, createFindings } from './findings.ts';

/** Tools that are looked at before others have their turn. */
const piece = 200;
/** What would help less than so many others is counted, and not listed. */
const maxListed = 2000;
/** Of one project; then the oldest is shown again. */
const maxDismissals = 10_000;
const usageDays = 30;
/** How much a query that missed, or a tool that is missing, weighs beside what a description lacks. */
const missedWeight = 4;
const missingWeight = 3;

export interface ReviewDeps extends AboutDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly catalog: Pick<Catalog, 'tools'>;
  readonly missed: (projectId: string) => readonly LearnedQuery[];
  readonly needs: GovernanceAdministration['needs'];
  readonly usage: GovernanceAdministration['usage'];
}

/** An item that is made only where it is shown. */
interface Entry extends Pick<ReviewItem, 'id' | 'kind' | 'help'> {
  readonly make: () => Omit<ReviewItem, 'id' | 'kind' | 'help'>;
}

/** What there is to mend, made anew whenever somebody asks; only what was dismissed is kept. */
export function createReview(deps: ReviewDeps): Pick<GovernanceAdministration, 'review' | 'dismiss'> {
  const { db, clock } = deps;

  async function dismissed(projectId: string): Promise<ReadonlySet<string>> {
    const rows = await db.query<{ item_id: string }>(
      'select item_id from hub_dismissals where project_id = $1',
      [projectId],
    );
    return new Set(rows.map(({ item_id }) => item_id));
  }

  async function* shownEntries(projectId: string): AsyncIterable<Entry> {
    const gone = await dismissed(projectId);
    for await (const entry of entriesOf(deps, projectId)) if (!gone.has(entry.id)) yield entry;
  }

  return {
    async review(projectId, { kind, limit, offset }): Promise<ReviewPage> {
      const best = createBest<Entry>(maxListed);
      for await (const entry of shownEntries(projectId))
        if (kind === undefined || entry.kind === kind) best.add(entry);
      const { items, total } = best.done();
      return { items: items.slice(offset, offset + limit).map(madeOf), total };
    },

    async dismiss(projectId, itemId) {
      for await (const entry of shownEntries(projectId)) {
        if (entry.id !== itemId) continue;
        await db.query(
          `insert into hub_dismissals (project_id, item_id, at) values ($1, $2, $3)
           on conflict (project_id, item_id) do update set at = excluded.at`,
          [projectId, itemId, clock.iso()],
        );
        await db.query(
          `delete from hub_dismissals where project_id = $1 and item_id in (
             select item_id from hub_dismissals where project_id = $1 order by at desc, item_id offset $2)`,
          [projectId, maxDismissals],
        );
        return madeOf(entry);
      }
      return null;
    },
  };
}

const madeOf = ({ make, ...entry }: Entry): ReviewItem => ({ ...entry, ...make() });

async function* entriesOf(deps: ReviewDeps, projectId: string): AsyncIterable<Entry> {
  const tools = deps.catalog.tools(projectId);
  const findings = createFindings(deps, tools);
  const isHidden = ({ id }: Tool) => deps.curationOf(projectId, id).lifecycle === 'hidden';
  for (const need of await deps.needs(projectId)) yield missingEntry(need);
  const missed = Map.groupBy(deps.missed(projectId), ({ toolId }) => toolId);
  const usage = await deps.usage(projectId, usageDays);
  for (const [at, tool] of tools.entries()) {
    if (at % piece === piece - 1) await new Promise(setImmediate);
    if (isHidden(tool)) continue;
    for (const query of missed.get(tool.id) ?? []) yield missedEntry(tool, query);
    const { codes, severity } = findings.verdict(tool);
    if (codes === 0) continue;
    yield {
      id: `rev_${tool.id.replace(/^tool_/, '')}${codes.toString(16).padStart(2, '0')}`,
      kind: 'documentation',
      help: severity * (1 + Math.log2(1 + (usage.get(tool.id)?.calls ?? 0)) / 4),
      make: () => ({ tool, query: null, advice: findings.of(tool).map(({ advice }) => advice) }),
    };
  }
}

function missingEntry({ id, need, callers }: MissingNeed): Entry {
  return {
    id: `rev_missing_${id.replace(/^need_/, '')}`,
    kind: 'missing_tool',
    help: missingWeight * Math.log2(1 + callers),
    make: () => ({
      tool: null,
      query: need,
      advice: [
        `${whoSearched(callers)} for this and found no tool: add one, or these words to one that is there`,
      ],
    }),
  };
}

function missedEntry(tool: Tool, { query, callers }: LearnedQuery): Entry {
  const digest = createHash('sha256')
    .update(JSON.stringify([tool.id, query]))
    .digest('hex');
  return {
    id: `rev_query_${digest.slice(0, 24)}`,
    kind: 'missed_query',
    help: missedWeight * Math.log2(1 + callers),
    make: () => ({
      tool,
      query,
      advice: [
        `${whoSearched(callers)} for this, and then used the tool, which was not found, or stood far down: add these words to its description, its synonyms or its example queries`,
      ],
    }),
  };
}

const whoSearched = (callers: number) =>
  callers === 1 ? 'somebody searched' : `${callers} callers searched`;
