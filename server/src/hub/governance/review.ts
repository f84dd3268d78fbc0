import { createHash } from 'node:crypto';
import type { Catalog } from '#catalog';
import type { Tool } from '#domain';
import type { Clock } from '#foundation';
import type { Db } from '#storage';
import type { GovernanceAdministration, LearnedQuery, ReviewItem, ToolUse } from './contract.ts';
import type { Finding } from './documentation.ts';
import { type AboutDeps, createFindings } from './findings.ts';

/** Tools that are looked at before others have their turn. */
const piece = 500;
/** Of one project; then the oldest is shown again. */
const maxDismissals = 10_000;
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

/** What there is to mend, made anew whenever somebody asks; only what was dismissed is kept. */
export function createReview(deps: ReviewDeps): Pick<GovernanceAdministration, 'review' | 'dismiss'> {
  const { db, clock, catalog } = deps;

  async function ofTools(
    projectId: string,
    all: readonly Tool[],
    tools: readonly Tool[],
  ): Promise<ReviewItem[]> {
    const usage = await deps.usage(projectId, 30);
    const findingsOf = createFindings(deps, all);
    const items: ReviewItem[] = [];
    for (const [at, tool] of tools.entries()) {
      if (at % piece === piece - 1) await new Promise(setImmediate);
      const item = documentationItem(tool, findingsOf(tool), usage.get(tool.id));
      if (item !== null) items.push(item);
    }
    return items;
  }

  async function dismissed(projectId: string): Promise<ReadonlySet<string>> {
    const rows = await db.query<{ item_id: string }>(
      'select item_id from hub_dismissals where project_id = $1',
      [projectId],
    );
    return new Set(rows.map(({ item_id }) => item_id));
  }

  return {
    async review(projectId) {
      const all = catalog.tools(projectId);
      const tools = all.filter(({ id }) => deps.curationOf(projectId, id).lifecycle !== 'hidden');
      const byId = new Map(tools.map((tool) => [tool.id, tool]));
      const missed = deps.missed(projectId).flatMap((query) => {
        const tool = byId.get(query.toolId);
        return tool === undefined ? [] : [missedItem(tool, query)];
      });
      const needs = (await deps.needs(projectId)).map(({ id, need, callers }) => ({
        ...{ id: idOf('missing_tool', id), kind: 'missing_tool' as const, tool: null, query: need },
        advice: [
          `${timesSaid(callers)} for this and found no tool: add one, or the words for one that is there`,
        ],
        help: missingWeight * Math.log2(1 + callers),
      }));
      const gone = await dismissed(projectId);
      return [...missed, ...needs, ...(await ofTools(projectId, all, tools))]
        .filter(({ id }) => !gone.has(id))
        .sort((one, other) => other.help - one.help || (one.id < other.id ? -1 : 1));
    },

    async dismiss(projectId, itemId) {
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
    },
  };
}

function documentationItem(
  tool: Tool,
  findings: readonly Finding[],
  use: ToolUse | undefined,
): ReviewItem | null {
  if (findings.length === 0) return null;
  const severity = findings.reduce((sum, finding) => sum + finding.severity, 0);
  return {
    id: idOf('documentation', tool.id, ...findings.map(({ code }) => code).sort()),
    kind: 'documentation',
    tool,
    advice: findings.map(({ advice }) => advice),
    query: null,
    help: severity * (1 + Math.log2(1 + (use?.calls ?? 0)) / 4),
  };
}

function missedItem(tool: Tool, { query, callers }: LearnedQuery): ReviewItem {
  return {
    id: idOf('missed_query', tool.id, query),
    kind: 'missed_query',
    tool,
    advice: [
      `${timesSaid(callers)} for this, and then used the tool, which was not found, or stood far down: add these words to its description, its synonyms or its example queries`,
    ],
    query,
    help: missedWeight * Math.log2(1 + callers),
  };
}

const timesSaid = (callers: number) => (callers === 1 ? 'somebody searched' : `${callers} callers searched`);

function idOf(...parts: readonly string[]): string {
  return `rev_${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24)}`;
}
