import type { Members } from '#foundation';
import type { Db } from '#storage';
import type { ToolChange } from './tool-change.ts';

/** A definition that waits for approval, as it is kept. */
export type PendingChange = Omit<ToolChange, 'projectId' | 'sourceId' | 'toolId' | 'quarantined'>;

/** What was approved of one tool, and what was not. */
export interface Pin {
  readonly toolId: string;
  /** Digests. */
  readonly approved: readonly string[];
  readonly pending: readonly PendingChange[];
  /** `mode:digest` of what is in the audit already. */
  readonly recorded: readonly string[];
  readonly held: boolean;
}

interface PinRow extends Record<string, unknown> {
  tool_id: string;
  approved: string[];
  pending: PendingChange[];
  recorded: string[];
  held: boolean;
}

/** The pins in the database. Definitions stay there until something is compared with them. */
export function createPinStore(db: Db) {
  return {
    /** Every source that has pins, and every tool that is held back. */
    async summary(): Promise<{
      readonly sources: readonly { readonly projectId: string; readonly sourceId: string }[];
      readonly held: readonly string[];
    }> {
      const sources = await db.query<{ project_id: string; source_id: string }>(
        'select distinct project_id, source_id from pins',
      );
      const held = await db.query<{ tool_id: string }>('select tool_id from pins where held');
      return {
        sources: sources.map(({ project_id, source_id }) => ({ projectId: project_id, sourceId: source_id })),
        held: held.map(({ tool_id }) => tool_id),
      };
    },

    async load(projectId: string, sourceId: string): Promise<Map<string, Pin>> {
      const rows = await db.query<PinRow>(
        'select tool_id, approved, pending, recorded, held from pins where project_id = $1 and source_id = $2',
        [projectId, sourceId],
      );
      return new Map(rows.map(({ tool_id, ...rest }) => [tool_id, { toolId: tool_id, ...rest }]));
    },

    async definitions(toolIds: readonly string[]): Promise<Map<string, Members>> {
      const rows = await db.query<{ tool_id: string; definition: Members }>(
        'select tool_id, definition from pins where tool_id in (select jsonb_array_elements_text($1::jsonb))',
        [JSON.stringify(toolIds)],
      );
      return new Map(rows.map(({ tool_id, definition }) => [tool_id, definition]));
    },

    /** Without a definition, the one that is kept stays. */
    async save(
      projectId: string,
      sourceId: string,
      pins: readonly (Pin & { readonly definition?: Members })[],
    ): Promise<void> {
      const rows = pins.map(({ toolId, definition, pending, ...rest }) => ({
        ...rest,
        tool_id: toolId,
        definition: definition === undefined ? null : JSON.stringify(definition),
        pending: JSON.stringify(pending),
      }));
      await db.query(
        `insert into pins (tool_id, project_id, source_id, approved, definition, pending, recorded, held)
         select pin.tool_id, $1, $2, pin.approved,
           coalesce(pin.definition::json, (select kept.definition from pins kept where kept.tool_id = pin.tool_id)),
           pin.pending::json, pin.recorded, pin.held
         from jsonb_to_recordset($3::jsonb)
           as pin(tool_id text, approved jsonb, definition text, pending text, recorded jsonb, held boolean)
         on conflict (tool_id) do update
           set approved = excluded.approved, definition = excluded.definition, pending = excluded.pending,
             recorded = excluded.recorded, held = excluded.held`,
        [projectId, sourceId, JSON.stringify(rows)],
      );
    },

    /** Returns the ids of what is forgotten. */
    async forget(projectId: string, sourceId: string): Promise<readonly string[]> {
      const rows = await db.query<{ tool_id: string }>(
        'delete from pins where project_id = $1 and source_id = $2 returning tool_id',
        [projectId, sourceId],
      );
      return rows.map(({ tool_id }) => tool_id);
    },
  };
}

export type PinStore = ReturnType<typeof createPinStore>;
