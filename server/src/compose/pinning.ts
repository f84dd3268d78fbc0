import type { Audit } from '#audit';
import type { Pinning } from '#catalog';
import type { Source } from '#domain';
import { veilOf } from '#sources';
import type { Log } from '#telemetry';

/** How a source is pinned; each change of one of its tools is recorded and logged once. */
export function pinningOf(source: Source, { audit, log }: { audit: Audit; log: Log }): Pinning {
  const veil = veilOf(source);
  return {
    mode: source.pin ?? 'off',
    onChange({ projectId, sourceId, toolId, qualifiedName, quarantined, version, digest, ...change }) {
      const reason = quarantined
        ? 'its definition is not the approved one; it is held back until somebody approves it'
        : 'its definition is not the approved one; it is used all the same';
      log.warn({ source: sourceId, tool: qualifiedName, digest }, `a tool changed: ${reason}`);
      return audit.record({
        kind: 'tool_change',
        decision: quarantined ? 'refused' : 'allowed',
        projectId,
        code: quarantined ? 'catalog.tool_quarantined' : null,
        reason,
        tool: qualifiedName,
        toolId,
        source: sourceId,
        changes: veil({ version, digest, differences: change.differences, left_out: change.leftOut }),
      });
    },
  };
}
