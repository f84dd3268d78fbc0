import { isDeepStrictEqual } from 'node:util';
import type { RuleTarget } from '#domain';
import type { Members } from '#foundation';
import type { EntryKind } from './entry-id.ts';
import type { KeptTool } from './kept-tool.ts';

/** A prompt, a resource or a template of resources. */
export interface StoredEntry {
  /** Its `ruleName` is the index's to say. */
  readonly target: RuleTarget;
  /** The source's own name, URI or URI template. */
  readonly own: string;
  readonly listed: Members;
  readonly available: boolean;
  readonly firstSeenMs: number;
}

/** What a source offers beside tools, each kind in the source's own order. */
export interface StoredEntries {
  readonly prompts: readonly StoredEntry[];
  readonly resources: readonly StoredEntry[];
  readonly templates: readonly StoredEntry[];
}

/** Everything that one source offers, as it is in the database. */
export interface StoredOffer extends StoredEntries {
  readonly projectId: string;
  readonly sourceId: string;
  readonly available: boolean;
  readonly capabilities: Members;
  readonly instructions: string;
  /** When the source first listed anything, whatever it has listed since. */
  readonly firstSeenMs: number;
  /** Of its tools and entries; `null`: an older version wrote them, or some are lost. All are written again with the next list. */
  readonly revision: string | null;
  /** In the source's own order; how each stands is the index's to say. */
  readonly tools: readonly KeptTool[];
  /** Where this process has not read its tools, of which `tools` then says nothing: the names of their toolkits. */
  readonly unread: readonly string[] | null;
}

/** Of a source whose tools are not read; always the same. */
export const noTools: readonly KeptTool[] = [];

export interface EntryRow extends Record<string, unknown> {
  id: string;
  project_id: string;
  source_id: string;
  kind: EntryKind;
  listed: Members;
  first_seen: string;
}

export const entryKinds = ['prompts', 'resources', 'templates'] as const;

/** Whether both offer the same; tools that are the same are the same objects. */
export function isSameOffer(one: StoredOffer, other: StoredOffer): boolean {
  const sameTools =
    one.tools === other.tools ||
    (one.tools.length === other.tools.length && one.tools.every((tool, at) => tool === other.tools[at]));
  if (!sameTools) return false;
  const rest = ({ tools, revision, available, ...rest }: StoredOffer) => rest;
  return isDeepStrictEqual(rest(one), rest(other));
}

/** The member of an entry that says what it is called. */
export const ownMember = { prompt: 'name', resource: 'uri', template: 'uriTemplate' } as const;

export function entriesOf(rows: readonly EntryRow[]): StoredEntries {
  const ofKind = (wanted: EntryKind) => rows.filter(({ kind }) => kind === wanted).map(entryOf);
  return { prompts: ofKind('prompt'), resources: ofKind('resource'), templates: ofKind('template') };
}

function entryOf(row: EntryRow): StoredEntry {
  const own = row.listed[ownMember[row.kind]] as string;
  const { id, project_id: projectId, source_id: sourceId } = row;
  return {
    target: { id, projectId, sourceId, ruleName: `${sourceId}.${own}` },
    own,
    listed: row.listed,
    available: true,
    firstSeenMs: Date.parse(row.first_seen),
  };
}
