import { type ProbeStep, probeSteps, type SourceFailure, type SourceOffer, type SourceStatus } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { Inspection, InspectionFailure, RejectedTool, Steps } from './contract.ts';
import { seenIn } from './read-list.ts';
import { maxTools, type TakenTools } from './tool-intake.ts';

const passed: Readonly<Record<ProbeStep, string>> = {
  address_resolved: 'the host name has an address',
  egress_allowed: 'the egress policy allows the address',
  connected: 'it accepts connections',
  authenticated: 'it accepts our credential',
  tools_fetched: 'it answered with its list of tools',
  tools_valid: 'every tool of the list can be used',
};

/** All steps passed; `details` replaces what is said of one. */
function passedSteps(details: Partial<Record<ProbeStep, string>> = {}): Steps {
  return probeSteps.map((step) => ({ step, ok: true, detail: details[step] ?? passed[step] }));
}

/** The same failure with the steps before it, which passed, and the one that failed. */
export function withSteps({
  code,
  message: told,
  aside = '',
  step: failed,
  challenge,
}: SourceFailure): InspectionFailure {
  const message = told + aside;
  const steps = probeSteps
    .slice(0, probeSteps.indexOf(failed) + 1)
    .map((step) =>
      step === failed ? { step, ok: false, detail: message } : { step, ok: true, detail: passed[step] },
    );
  return { code, message, step: failed, steps, ...(challenge === undefined ? {} : { challenge }) };
}

/** A list that is longer than any that is taken. */
export const tooLong: SourceFailure = {
  code: 'source.tool_list_invalid',
  message: `it lists more than ${maxTools} tools, which is as many as are taken of one source`,
  step: 'tools_valid',
};

/** What a walk to the end found; a list of which nothing can be used fails its last step. */
export function inspected(
  { tools, rejected: unusable, list }: TakenTools,
  /** What the tools depend on beside what is written. */
  basis: unknown,
  /** Workers have none. */
  listed: (Omit<SourceOffer, 'tools'> & { readonly rejected: readonly RejectedTool[] }) | null,
  about: { readonly protocolVersion: string | null; readonly serverInfo: SourceStatus['serverInfo'] },
): Result<Inspection, InspectionFailure> {
  const { rejected: rejectedOthers, ...others } = listed ?? toolsAlone;
  const nothing = [tools, others.prompts, others.resources, others.templates].every(
    (list) => list.length === 0,
  );
  if (nothing && unusable.length > 0) {
    const message = `none of the ${unusable.length} tools it lists can be used, correct their definitions: ${rejectedInWords(unusable)}`;
    return err(withSteps({ code: 'source.tool_list_invalid', message, step: 'tools_valid' }));
  }
  const rejected = [...rejectedOthers, ...unusable];
  const details = rejected.length === 0 ? {} : { tools_valid: `left out: ${rejectedInWords(rejected)}` };
  return ok({
    steps: passedSteps(details),
    offer: { ...others, tools, seen: seenIn(list, basis) },
    rejected,
    ...about,
  });
}

const toolsAlone = { prompts: [], resources: [], templates: [], capabilities: {}, rejected: [] };

export function rejectedInWords(rejected: readonly RejectedTool[]): string {
  const named = rejected.slice(0, 5).map(({ name, reason }) => `${name} (${reason})`);
  const more = rejected.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
