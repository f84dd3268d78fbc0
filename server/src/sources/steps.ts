import {
  createPacker,
  type ProbeStep,
  probeSteps,
  type SourceFailure,
  type SourceOffer,
  type SourceStatus,
  type ToolListing,
} from '#domain';
import { createRests, err, ok, type Result } from '#foundation';
import type { Inspection, InspectionFailure, RejectedTool, Steps } from './contract.ts';
import { keepableText } from './keepable.ts';

/** More in one source would take too long whenever the list changes, and leave too little room for others. */
const maxTools = 50_000;

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

/** What a walk to the end found; a list of which nothing can be used fails its last step. */
export async function inspected(
  listed: {
    /** Taken one by one, with others' turns in between. */
    readonly tools: Iterable<Result<ToolListing, RejectedTool>>;
    /** Workers have none. */
    readonly others?: Omit<SourceOffer, 'tools'> & { readonly rejected: readonly RejectedTool[] };
  },
  about: { readonly protocolVersion: string | null; readonly serverInfo: SourceStatus['serverInfo'] },
): Promise<Result<Inspection, InspectionFailure>> {
  const taken = await takeTools(listed.tools);
  if (taken === null) {
    const message = `it lists more than ${maxTools} tools, which is as many as are taken of one source`;
    return err(withSteps({ code: 'source.tool_list_invalid', message, step: 'tools_valid' }));
  }
  const { tools, rejected } = taken;
  const { rejected: rejectedOthers, ...others } = listed.others ?? toolsAlone;
  const nothing = [tools, others.prompts, others.resources, others.templates].every(
    (list) => list.length === 0,
  );
  if (nothing && rejected.length > 0) {
    const message = `none of the ${rejected.length} tools it lists can be used, correct their definitions: ${rejectedInWords(rejected)}`;
    return err(withSteps({ code: 'source.tool_list_invalid', message, step: 'tools_valid' }));
  }
  rejected.unshift(...rejectedOthers);
  const details = rejected.length === 0 ? {} : { tools_valid: `left out: ${rejectedInWords(rejected)}` };
  return ok({ steps: passedSteps(details), offer: { ...others, tools }, rejected, ...about });
}

/** What of a list can be kept, packed; `null`: it is too long. */
async function takeTools(listed: Iterable<Result<ToolListing, RejectedTool>>) {
  const rests = createRests();
  const packer = createPacker();
  const rejected: RejectedTool[] = [];
  let count = 0;
  for (const one of listed) {
    if (++count > maxTools) return null;
    await rests();
    if (!one.ok) {
      rejected.push(one.error);
      continue;
    }
    const tool = one.value;
    const text = keepableText(tool);
    if (text.ok) packer.add(tool, text.value);
    else rejected.push({ name: tool.name.slice(0, 128).toWellFormed(), reason: text.error });
  }
  return { tools: packer.finish(), rejected };
}

const toolsAlone = { prompts: [], resources: [], templates: [], capabilities: {}, rejected: [] };

export function rejectedInWords(rejected: readonly RejectedTool[]): string {
  const named = rejected.slice(0, 5).map(({ name, reason }) => `${name} (${reason})`);
  const more = rejected.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
