import type { Audit } from '#audit';
import type { Catalog } from '#catalog';
import type { Tool } from '#domain';
import type { Clock } from '#foundation';
import type { Changes, Db } from '#storage';
import type { Log } from '#telemetry';
import type { Vault } from '#vault';
import type { Governance } from './contract.ts';
import { curated } from './curate.ts';
import { createCurations } from './curations.ts';
import { createFindings } from './findings.ts';
import { createNeeds } from './needs.ts';
import { createQueries } from './queries.ts';
import { createRecentSearches } from './recent-searches.ts';
import { createReview } from './review.ts';
import { createUsage } from './usage.ts';

export interface GovernanceDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly vault: Pick<Vault, 'serverKey'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly catalog: Pick<Catalog, 'tools' | 'shown'>;
  readonly audit: Pick<Audit, 'toolUse'>;
}

export async function createGovernance(deps: GovernanceDeps): Promise<Governance> {
  const { db, changes, vault, clock, log, catalog, audit } = deps;
  let learns = true;
  const listeners: Parameters<Governance['onChange']>[0][] = [];
  const onChange: Parameters<Governance['onChange']>[0] = (projectId, toolIds) => {
    for (const listener of listeners) listener(projectId, toolIds);
  };
  const key = await vault.serverKey('callers that are counted');
  const curations = await createCurations({ db, changes, onChange });
  const queries = await createQueries({ db, changes, clock, log, key, onChange });
  const needs = createNeeds({ db, clock, key });
  const recent = createRecentSearches(clock, queries.note);
  const usage = createUsage(audit, clock);
  const examplesOf = (tool: Tool) => {
    const { examples } = curations.of(tool.projectId, tool.id);
    return examples.length === 0 ? examples : examples.filter((one) => catalog.shown(tool).takes(one).ok);
  };

  return {
    curationOf: curations.of,
    examplesOf,
    learnedOf: (projectId, toolId) => (learns ? queries.learnedOf(projectId, toolId) : []),
    closedTo: curations.closedTo,
    standing: ({ principal }, { id }) => (curations.closedTo(principal).has(id) ? 'closed' : 'open'),
    searched(bearer, projectId, searches) {
      if (learns) recent.remember(bearer, projectId, searches);
    },
    queryFor: recent.queryFor,
    executed(bearer, _projectId, toolId, succeeded) {
      if (succeeded) recent.used(bearer, toolId);
    },
    missing: needs.report,
    learn(isOn) {
      if (isOn === learns) return;
      learns = isOn;
      if (!isOn) recent.forget();
      for (const projectId of queries.projectIds()) onChange(projectId, null);
    },
    onChange: (listener) => void listeners.push(listener),
    administration: {
      curated: curations.all,
      curate: (projectId, tool, change, successorId) =>
        curations.change({ projectId, id: tool.id }, (before) =>
          curated({ catalog, curationOf: curations.of }, tool, before, change, successorId),
        ),
      forgetCuration: (projectId, id) => curations.remove({ projectId, id }),
      learned: (projectId, toolId) => queries.list(projectId, 'led', toolId),
      forgetLearned: (projectId, { toolId = null, query = null }) => queries.forget(projectId, toolId, query),
      needs: needs.list,
      forgetNeed: needs.forget,
      adviser(tools) {
        const findings = createFindings({ curationOf: curations.of, examplesOf }, tools);
        return {
          advice: (tool) => findings.of(tool).map(({ advice }) => advice),
          hasAdvice: (tool) => findings.verdict(tool).codes !== 0,
        };
      },
      ...createReview({
        ...{ db, clock, catalog, curationOf: curations.of, examplesOf, needs: needs.list, usage },
        missed: (projectId) => queries.list(projectId, 'missed'),
      }),
      usage,
    },
    async close() {
      recent.close();
      await queries.close();
    },
  };
}
