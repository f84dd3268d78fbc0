import type { Audit, AuditEntry } from '#audit';

/** Hears of every decision once it is journalled. Never throws, and takes no time: the caller still waits for the answer. */
export type AuditObserver = (entry: AuditEntry) => void;

/** The audit, with those who count and tell what it records: neither can say anything else than the record does. */
export function observedAudit(audit: Audit, observers: readonly AuditObserver[]): Audit {
  return {
    ...audit,
    record(entry) {
      const journalled = audit.record(entry);
      for (const observe of observers) observe(entry);
      return journalled;
    },
  };
}
