import type { SourceFailure, SourceOffer, SourceStatus } from '#domain';
import type { Inspection, Steps } from './contract.ts';
import { rejectedInWords } from './steps.ts';

const nothingKnown: SourceStatus = {
  state: 'unknown',
  message: 'it was not looked at yet',
  failedStep: null,
  steps: [],
  toolCount: 0,
  promptCount: 0,
  resourceCount: 0,
  checkedAt: null,
  since: null,
  protocolVersion: null,
  serverInfo: null,
};

export const unknownStatus = (): SourceStatus => nothingKnown;

export function disabledStatus(): SourceStatus {
  return { ...nothingKnown, state: 'disabled', message: 'it is disabled; enable it to offer its tools' };
}

export function healthyStatus(inspection: Inspection, checkedAt: string): SourceStatus {
  const { steps, offer, rejected, protocolVersion, serverInfo } = inspection;
  const left = rejected.length === 0 ? '' : `; left out: ${rejectedInWords(rejected)}`;
  return {
    state: 'healthy',
    message: inWords(offer) + left,
    failedStep: null,
    steps,
    toolCount: offer.tools.length,
    promptCount: offer.prompts.length,
    resourceCount: offer.resources.length,
    checkedAt,
    since: checkedAt,
    protocolVersion,
    serverInfo,
  };
}

function inWords({ tools, prompts, resources, templates }: SourceOffer): string {
  const counts = [
    counted(tools.length, 'tool'),
    counted(prompts.length, 'prompt'),
    counted(resources.length, 'resource'),
    counted(templates.length, 'resource template'),
  ].filter((count) => count !== null);
  if (counts.length === 0) return 'healthy, but it offers no tools';
  const last = counts.pop();
  return `healthy: it offers ${counts.length === 0 ? last : `${counts.join(', ')} and ${last}`}`;
}

function counted(count: number, noun: string): string | null {
  return count === 0 ? null : `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function unhealthyStatus(failure: SourceFailure, steps: Steps, checkedAt: string): SourceStatus {
  return {
    ...nothingKnown,
    state: 'unhealthy',
    message: failure.message,
    failedStep: failure.step,
    steps,
    checkedAt,
    since: checkedAt,
  };
}
