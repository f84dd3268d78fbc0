import { hash } from 'node:crypto';
import { ownText } from '#foundation';

/** The stable id of a tool: the same for every version of it, and after it went and came back. */
export function toolId(projectId: string, sourceId: string, toolkit: string, name: string): string {
  const digest = hash('sha256', [projectId, sourceId, toolkit, name].join('\0'), 'hex');
  return ownText(`tool_${digest.slice(0, 24)}`);
}
