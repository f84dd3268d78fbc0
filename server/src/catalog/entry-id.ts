import { createHash } from 'node:crypto';

/** What a source lists beside tools. */
export type EntryKind = 'prompt' | 'resource' | 'template';

const prefixes: Readonly<Record<EntryKind, string>> = { prompt: 'prompt', resource: 'res', template: 'tmpl' };

/** The stable id of a prompt, a resource or a template: `own` is the source's own name, URI or URI template. */
export function entryId(kind: EntryKind, projectId: string, sourceId: string, own: string): string {
  const digest = createHash('sha256').update([projectId, sourceId, own].join('\0')).digest('hex');
  return `${prefixes[kind]}_${digest.slice(0, 24)}`;
}
