import type { Members } from '#foundation';
import type { Db, Queries } from '#storage';
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
  /** Of the row as it was read; `null`: there was none. */
  readonly rowVersion: string | null;
}

interface PinRow extends Record<string, unknown> {
  tool_id: string;
  approved: string[];
  pending: PendingChange[];
  recorded: string[];
  held: boolean;
  row_version: string;
}

/** By the id of the tool. */
export type Pins = ReadonlyMap<string, Pin>;

export interface Place {
  readonly projectId: string;
  readonly sourceId: string;
}

/** The pins in the database. Definitions stay there until something is compared with them. */
export function createPinStore(db: Db) {
  return {
    async load({ projectId, sourceId }: Place): Promise<Pins> {
      const rows = await db.query<PinRow>(
        `select tool_id, approved, pending, recorded, held, xmin::text as row_version
         from pins where project_id = $1 and source_id = $2`,
        [projectId, sourceId],
      );
      return new Map(
        rows.map(({ tool_id, row_version, ...rest }) => [
          tool_id,
          { toolId: tool_id, rowVersion: row_version, ...rest },
        ]),
      );
    },

    async definitions(toolIds: readonly string[]): Promise<Map<string, Members>> {
      const rows = await db.query<{ tool_id: string; definition: Members }>(
        'select tool_id, definition from pins where tool_id in (select jsonb_array_elements_text($1::jsonb))',
        [JSON.stringify(toolIds)],
      );
      return new Map(rows.map(({ tool_id, definition }) => [tool_id, definition]));
    },

    /** Whether these, as they were loaded, are what the source's pins are now. */
    async areCurrent(queries: Queries, { projectId, sourceId }: Place, pins: Pins): Promise<boolean> {
      const rows = await queries.query<Pick<PinRow, 'tool_id' | 'row_version'>>(
        'select tool_id, xmin::text as row_version from pins where project_id = $1 and source_id = $2',
        [projectId, sourceId],
      );
      return (
        rows.length === pins.size &&
        rows.every(({ tool_id, row_version }) => pins.get(tool_id)?.rowVersion === row_version)
      );
    },

    /** Without a definition, the one that is kept stays. */
    async save(
      queries: Queries,
      { projectId, sourceId }: Place,
      pins: readonly (Pin & { readonly definition?: Members })[],
    ): Promise<void> {
      const rows = pins.map(({ toolId, definition, pending, rowVersion, ...rest }) => ({
        ...rest,
        tool_id: toolId,
        definition: definition === undefined ? null : JSON.stringify(definition),
        pending: JSON.stringify(pending),
      }));
      await queries.query(
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

    async forget(queries: Queries, { projectId, sourceId }: Place): Promise<void> {
      await queries.query('delete from pins where project_id = $1 and source_id = $2', [projectId, sourceId]);
    },
  };
}

export type PinStore = ReturnType<typeof createPinStore>;
