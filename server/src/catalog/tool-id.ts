import { createHash } from 'node:crypto';

/** The stable id of a tool: the same for every version of it, and after it went and came back. */
export function toolId(projectId: string, sourceId: string, toolkit: string, name: string): string {
  const digest = createHash('sha256').update([projectId, sourceId, toolkit, name].join('\0')).digest('hex');
  return `tool_${digest.slice(0, 24)}`;
}
