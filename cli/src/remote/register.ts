import type { Io } from '../output/io.ts';
import { type Gateway, gateway, tool, type Worker, worker, workerHealth, workerTest } from './answers.ts';
import type { Api } from './api.ts';
import { creation, type Declaration } from './declaration.ts';
import { ServerRefusal } from './server-refusal.ts';

/** Sources and gateways of a running Sallyport, changed step by step. */

/** Of a source. */
export const workerPath = (id: string) => `/workers/${encodeURIComponent(id)}`;

export async function workerOf(api: Api, id: string): Promise<Worker | null> {
  try {
    return await api.ask('GET', workerPath(id), { answer: worker });
  } catch (error) {
    if (error instanceof ServerRefusal && error.code === 'resource.unknown') return null;
    throw error;
  }
}

/** Whether a source of this address may be declared over the API; why not, or `null`. */
export async function addressRefused(api: Api, { type, uri }: Declaration): Promise<string | null> {
  const { status } = await api.ask('POST', '/workers/test', {
    answer: workerTest,
    body: { type, [type]: { uri } },
    timeoutMs: 60_000,
  });
  return status.failed_step === 'egress_allowed' ? status.message : null;
}

export async function create(api: Api, declaration: Declaration): Promise<void> {
  await api.ask('POST', '/workers', { answer: worker, body: creation(declaration), timeoutMs: 60_000 });
}

export async function update(api: Api, id: string, body: Record<string, unknown>): Promise<void> {
  await api.ask('PATCH', workerPath(id), { answer: worker, body, timeoutMs: 60_000 });
}

export async function remove(api: Api, id: string): Promise<void> {
  await api.delete(workerPath(id));
}

const askEveryMs = 2000;
/** Waiting changes nothing about these. */
const final = new Set(['egress_allowed', 'authenticated', 'tools_valid']);

/** Takes the steps of a call until its tools are listed, or a step fails for good. */
export async function listed(
  io: Pick<Io, 'sleep' | 'signal'>,
  api: Api,
  id: string,
  waitMs: number,
  say: (text: string) => void,
): Promise<Worker> {
  let said = '';
  for (let waitedMs = 0; ; waitedMs += askEveryMs) {
    await api.ask('GET', `${workerPath(id)}/health`, { answer: workerHealth, timeoutMs: 120_000 });
    const found = await api.ask('GET', workerPath(id), { answer: worker });
    const { state, tool_count, failed_step, message } = found.status;
    if (state === 'healthy' && tool_count > 0) return found;
    if (waitedMs >= waitMs || final.has(failed_step ?? '') || state === 'disabled') return found;
    if (message !== said) say(`${id}: ${message}`);
    said = message;
    await io.sleep(askEveryMs, io.signal);
  }
}

/** Globs for all tools of a source. */
export async function toolGlobs(api: Api, id: string): Promise<string[]> {
  const { items } = await api.all(`${workerPath(id)}/tools`, tool);
  return [...new Set(items.map(({ toolkit }) => `${toolkit.name}.*`))].sort();
}

/** A gateway that shows these tools, too, or no longer; `null`: nothing was to be changed. */
export async function changeTools(
  api: Api,
  { id, tool_filter }: Gateway,
  globs: readonly string[],
  shown: boolean,
): Promise<readonly string[] | null> {
  const { allowed_tools: before } = tool_filter;
  // Every tool is shown there.
  if (before === undefined) return null;
  const others = before.filter((glob) => !globs.includes(glob));
  const after = shown ? [...before, ...globs.filter((glob) => !before.includes(glob))] : others;
  if (after.length === before.length) return null;
  await api.ask('PATCH', `/gateways/${encodeURIComponent(id)}`, {
    answer: gateway,
    body: { tool_filter: { allowed_tools: after } },
  });
  return after;
}
