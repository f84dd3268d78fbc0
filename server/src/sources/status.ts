import type { SourceFailure, SourceStatus } from '#domain';
import type { Inspection, Steps } from './contract.ts';
import { rejectedInWords } from './steps.ts';

const nothingKnown: SourceStatus = {
  state: 'unknown',
  message: 'it was not looked at yet',
  failedStep: null,
  steps: [],
  toolCount: 0,
  checkedAt: null,
  protocolVersion: null,
  serverInfo: null,
};

export const unknownStatus = (): SourceStatus => nothingKnown;

export function disabledStatus(): SourceStatus {
  return { ...nothingKnown, state: 'disabled', message: 'it is disabled; enable it to offer its tools' };
}

export function healthyStatus(inspection: Inspection, checkedAt: string): SourceStatus {
  const { steps, offer, rejected, protocolVersion, serverInfo } = inspection;
  const { tools } = offer;
  const offers =
    tools.length === 0
      ? 'healthy, but it offers no tools'
      : `healthy: it offers ${tools.length} ${tools.length === 1 ? 'tool' : 'tools'}`;
  const left = rejected.length === 0 ? '' : `; left out: ${rejectedInWords(rejected)}`;
  return {
    state: 'healthy',
    message: offers + left,
    failedStep: null,
    steps,
    toolCount: tools.length,
    checkedAt,
    protocolVersion,
    serverInfo,
  };
}

export function unhealthyStatus(failure: SourceFailure, steps: Steps, checkedAt: string): SourceStatus {
  return {
    ...nothingKnown,
    state: 'unhealthy',
    message: failure.message,
    failedStep: failure.step,
    steps,
    checkedAt,
  };
}
