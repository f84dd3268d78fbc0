import { CommandError } from '../command-error.ts';
import { isMapping } from '../files/values.ts';
import { objectTitle } from '../manifests/object.ts';
import { counted } from '../output/counted.ts';
import type { Io } from '../output/io.ts';
import type { Project } from '../spec/load.ts';
import type { WantedServer } from './chosen.ts';
import type { Cluster } from './cluster.ts';
import { differences } from './difference.ts';
import { gatewayStage } from './gateway-stage.ts';
import type { LiveDeployment, LiveService } from './live.ts';
import { openReach, type Reach, usualWay, type Way } from './reach.ts';
import { newestPods, notReady, readRollout, readyEndpoints, type Trouble } from './rollout.ts';
import { type ToolsReport, type VerifiedTool, verifyTools } from './verify-tools.ts';

/** One thing that had to be so, on the way from a manifest to a tool list. */
export interface Stage {
  readonly stage: 'applied' | 'rollout' | 'endpoints' | 'mcp' | 'tools' | 'call' | 'gateway';
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly said: string;
  /** What to do about it. */
  readonly hint?: string;
  /** The last lines that the container printed. */
  readonly logs?: readonly string[];
}

export interface Verified {
  readonly passed: boolean;
  readonly stages: readonly Stage[];
  readonly tools: readonly VerifiedTool[];
}

export interface Verifying {
  readonly io: Io;
  readonly project: Project;
  readonly cluster: Cluster;
  readonly wanted: WantedServer;
  /** For the rollout; every other stage has seconds. */
  readonly timeoutMs: number;
  /** The way that clients take, unless given. */
  readonly via?: Way | undefined;
  /** Told of each stage as it ends. */
  readonly onStage: (stage: Stage) => void;
}

const pollMs = 1000;
/** What may pass by itself, as a Secret that an operator has yet to make, has this long. */
const graceMs = 20_000;
/** Endpoints and listening sockets follow readiness within moments. */
const settlingMs = 10_000;
const requestMs = 10_000;

/** Walks every stage up to the tool list through the way that clients take; ends at the first that fails. */
export async function verifyServer(verifying: Verifying): Promise<Verified> {
  const stages: Stage[] = [];
  let tools: readonly VerifiedTool[] = [];
  const tell = (stage: Stage) => {
    stages.push(stage);
    verifying.onStage(stage);
    return stage.outcome !== 'failed';
  };
  const ended = (passed: boolean): Verified => ({ passed, stages, tools });

  const applied = await appliedStage(verifying);
  if (!tell(applied.stage) || applied.deployment === null || applied.service === null) return ended(false);
  const { deployment, service } = applied;
  if (!tell(await rolloutStage(verifying, deployment))) return ended(false);
  if (!tell(await endpointsStage(verifying, service))) return ended(false);
  const { stages: told, report } = await mcpStages(verifying, deployment, service);
  for (const stage of told) if (!tell(stage)) return ended(false);
  tools = report?.tools ?? [];
  const atGateway = await gatewayStage(verifying.io, verifying.project, verifying.wanted.server.spec, tools);
  return ended(atGateway === null || tell(atGateway));
}

async function appliedStage({ cluster, wanted }: Verifying) {
  const { objects, names } = wanted;
  const missing: string[] = [];
  let deployment: LiveDeployment | null = null;
  let service: LiveService | null = null;
  const notes: string[] = [];
  for (const object of objects) {
    const live = await cluster.get(object);
    const isMain = object.metadata.name === names.workload;
    if (live === null) missing.push(objectTitle(object));
    else if (object.kind === 'Deployment' && isMain) {
      deployment = live as LiveDeployment;
      // What the manifest says nothing of is not its difference.
      const found = differences(object, live).filter(
        ({ before, after }) => before !== undefined && !isMapping(after),
      );
      if (found.length > 0)
        notes.push(`; the Deployment is not as git says (${found[0]?.path}): sallyport deploy diff --live`);
    } else if (object.kind === 'Service' && isMain) service = live as LiveService;
  }
  const hint =
    'sallyport deploy apply puts it there; where Flux applies, it does so soon after the commit is pushed.';
  const stage: Stage =
    missing.length > 0
      ? { stage: 'applied', outcome: 'failed', said: `not in ${cluster.name}: ${missing.join(', ')}`, hint }
      : {
          stage: 'applied',
          outcome: 'passed',
          said: `${counted(objects.length, 'object')} in ${cluster.name}${notes.join('')}`,
        };
  return { stage, deployment, service };
}

async function rolloutStage(verifying: Verifying, first: LiveDeployment): Promise<Stage> {
  const { io, cluster, timeoutMs } = verifying;
  const began = io.now();
  for (let deployment = first; ; ) {
    const { done, said, trouble } = await readRollout(cluster, deployment);
    if (done) return { stage: 'rollout', outcome: 'passed', said };
    const elapsed = io.now() - began;
    if (trouble !== null && (!trouble.mayPass || elapsed >= Math.min(graceMs, timeoutMs)))
      return failed('rollout', trouble);
    if (elapsed >= timeoutMs)
      return failed(
        'rollout',
        await notReady(cluster, deployment),
        `${said} after ${Math.round(elapsed / 1000)} s; `,
      );
    await io.sleep(pollMs, io.signal);
    io.signal.throwIfAborted();
    const live = await cluster.get<LiveDeployment>(deployment);
    if (live === null) return { stage: 'rollout', outcome: 'failed', said: 'the Deployment is gone' };
    deployment = live;
  }
}

function failed(stage: Stage['stage'], { reason, message, hint, logs }: Trouble, before = ''): Stage {
  const said = `${before}${reason}${message === '' ? '' : `: ${message}`}`;
  return { stage, outcome: 'failed', said, hint, ...(logs.length > 0 && { logs }) };
}

async function endpointsStage({ io, cluster }: Verifying, service: LiveService): Promise<Stage> {
  const { name, namespace = 'default' } = service.metadata;
  const began = io.now();
  for (;;) {
    const ready = await readyEndpoints(cluster, namespace, name);
    if (ready > 0)
      return { stage: 'endpoints', outcome: 'passed', said: `Service ${name} leads to ${ready} ready` };
    if (io.now() - began >= settlingMs) break;
    await io.sleep(pollMs, io.signal);
    io.signal.throwIfAborted();
  }
  const hint = 'Does its selector fit the labels of the pods, and is replicas more than 0?';
  return { stage: 'endpoints', outcome: 'failed', said: `Service ${name} leads to nothing`, hint };
}

async function mcpStages(
  verifying: Verifying,
  deployment: LiveDeployment,
  service: LiveService,
): Promise<{ stages: readonly Stage[]; report: ToolsReport | null }> {
  const { io, project, cluster, wanted } = verifying;
  const { spec } = wanted.server;
  const destination = { service, path: spec.path, conventions: project.conventions };
  const way = verifying.via ?? usualWay(cluster, destination);
  let reach: Reach;
  try {
    reach = await openReach(io, cluster, way, destination);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const said = `through ${way}: ${error.message}`;
    return {
      stages: [{ stage: 'mcp', outcome: 'failed', said, hint: error.details.join(' ') }],
      report: null,
    };
  }
  try {
    const report = await settledReport(verifying, reach);
    const stages = toolStages(report, `through ${way}`, spec.verify?.tools);
    if (stages[0]?.outcome !== 'failed') return { stages, report };
    const { namespace = 'default' } = deployment.metadata;
    const [pod] = await newestPods(cluster, deployment);
    const text =
      pod === undefined ? '' : await cluster.log(namespace, pod.metadata.name, { lines: 20 }).catch(() => '');
    const logs = text.trim() === '' ? [] : text.trimEnd().split('\n');
    const said = [stages[0].said, reach.said()].filter((part) => part !== '').join('; ');
    return { stages: [{ ...stages[0], said, logs, hint: hintFor(way, said) }], report };
  } finally {
    await reach.close();
  }
}

function hintFor(way: Way, said: string): string {
  if (/services\/proxy/.test(said))
    return 'Your account may not use the way through the Service: --via port-forward takes another.';
  if (/pods\/portforward/.test(said))
    return 'Your account may not forward ports: --via service-proxy takes another way.';
  if (way === 'node-port')
    return 'Is the node in conventions.yaml the right one, and does its firewall let this port in? --via service-proxy leaves it out.';
  return 'Do port and path in server.yaml say where the server listens? Its last lines are below.';
}

/** A server that has just become ready may take a moment until it answers. */
async function settledReport({ io, wanted }: Verifying, { url, fetch }: Reach): Promise<ToolsReport> {
  const { verify } = wanted.server.spec;
  const began = io.now();
  for (;;) {
    const report = await verifyTools(url, {
      fetch,
      expected: verify?.tools,
      call: verify?.call,
      timeoutMs: requestMs,
      signal: io.signal,
    });
    const spoke = report.eras.some(({ error }) => error === null);
    const mayCome = report.eras.some(({ error }) =>
      /refused|ECONNRE|fetch failed|HTTP 50[234]/.test(error ?? ''),
    );
    if (spoke || !mayCome || io.now() - began >= settlingMs) return report;
    await io.sleep(pollMs, io.signal);
  }
}

/** What the answers of a server come to: that it speaks MCP, that it lists what it is to list, that a call works. */
export function toolStages(
  report: ToolsReport,
  through: string,
  expected: readonly string[] | undefined,
): Stage[] {
  const spoken = report.eras.filter(({ error }) => error === null);
  const unspoken = report.eras.filter(({ error }) => error !== null);
  if (spoken.length === 0) {
    const [reason, ...others] = new Set(unspoken.map(({ error }) => error));
    const not =
      others.length === 0
        ? `2026-07-28 nor initialize: ${reason}`
        : unspoken.map(({ era, error }) => `${era}: ${error}`).join('; nor ');
    const said = `${through}, it answers neither ${not}`;
    return [{ stage: 'mcp', outcome: 'failed', said }];
  }
  const speaks = spoken
    .map(({ era, revision }) => (era === 'initialize' ? `${revision} (initialize)` : era))
    .join(' and ');
  const without = unspoken.length === 0 ? '' : `, not ${unspoken.map(({ era }) => era).join()}`;
  const is = report.server === null ? '' : `${shownName(report.server)} `;
  const mcp: Stage = { stage: 'mcp', outcome: 'passed', said: `${is}speaks ${speaks}${without}, ${through}` };
  const stages = [mcp, listStage(report, expected)];
  if (report.call === null || stages[1]?.outcome === 'failed') return stages;
  const { ok, said } = report.call;
  return [...stages, { stage: 'call', outcome: ok ? 'passed' : 'failed', said }];
}

/** A name comes from the server: it takes no line of its own, nor the whole screen. */
const shownName = (name: string): string => {
  const line = name.replace(/\s+/g, ' ');
  return line.length > 100 ? `${line.slice(0, 100)}…` : line;
};

function listStage(
  { tools, missing, differing }: ToolsReport,
  expected: readonly string[] | undefined,
): Stage {
  const names = tools.map(({ name }) => shownName(name));
  const listed = names.length > 8 ? `${names.slice(0, 8).join(', ')}, …` : names.join(', ');
  if (names.length === 0)
    return {
      stage: 'tools',
      outcome: 'failed',
      said: 'it lists no tools',
      hint: 'Does it need a secret or a setting to have any?',
    };
  if (missing.length > 0) {
    const hint = `verify.tools of server.yaml expects them; it lists ${listed}`;
    return { stage: 'tools', outcome: 'failed', said: `not listed: ${missing.join(', ')}`, hint };
  }
  const some =
    differing.length === 0 ? '' : `; not the same in both eras: ${differing.map(shownName).join(', ')}`;
  const all = expected === undefined ? '' : `, all ${expected.length} expected among them`;
  return {
    stage: 'tools',
    outcome: 'passed',
    said: `${counted(names.length, 'tool')}${all}: ${listed}${some}`,
  };
}
