import { spawn } from 'node:child_process';
import { join } from 'node:path';
import {
  end,
  type GatewayProcess,
  type GatewayStart,
  printedOrigin,
  startGateway,
} from '../gateway-process.ts';
import { onCore } from './cores.ts';
import type { Candidate } from './generator.ts';
import { findNginx, startNginx } from './nginx.ts';
import { startOtlpSink } from './otlp-sink.ts';
import { benchUser, grantsOf, rulesOf } from './policies.ts';
import { accessTokenFor } from './signed-in.ts';

/** What takes part in a measurement, each a process of its own. */

export const toolCount = 500;
export const largeToolCount = 5000;
/** Of the tools, those that a gateway shows. */
const allowedCount = 100;

export interface Behind {
  readonly origin: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export function startScript(
  file: string,
  own: readonly string[],
  before: readonly string[],
): Promise<Behind> {
  const args = [...before, process.execPath, join(import.meta.dirname, file), ...own];
  const child = spawn(args[0] ?? '', args.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = () => end(child);
  return printedOrigin(child).then((origin) => ({ origin, pid: child.pid ?? 0, stop }));
}

/** The worker and MCP server that the gateway is put before. */
export function startUpstream(tools: number, before = onCore(0), port = 0): Promise<Behind> {
  return startScript('upstream.ts', [String(tools), String(port)], before);
}

export function gatewayConfig(upstream: string): Parameters<typeof startGateway>[0] {
  const allowed = Array.from({ length: allowedCount }, (_, index) => `Bench.Tool${index}`);
  const gateway = (slug: string, more: object) => ({
    name: slug,
    slug,
    auth_types: ['arcade_header'],
    tool_filter: { allowed_tools: [...allowed, 'Bench.Large'] },
    ...more,
  });
  return {
    workers: [
      { id: 'bench', http: { uri: upstream, secret: 'the-secret-of-the-bench-worker' } },
      { id: 'relay', mcp: { uri: `${upstream}/mcp` } },
    ],
    gateways: [
      gateway('bench', {}),
      gateway('bench-all', { tool_filter: { allowed_tools: ['Bench.*'] } }),
      gateway('bench-relay', { tool_filter: { allowed_tools: ['relay.*'] }, naming: 'source' }),
      gateway('bench-signed', { auth_types: ['arcade'] }),
      gateway('bench-granted', { access: 'granted' }),
      gateway('bench-policy', { access: 'granted' }),
    ],
    rules: rulesOf('bench-policy'),
    grants: [...grantsOf('bench-granted'), ...grantsOf('bench-policy')],
  };
}

/** Names a gateway of a process, to be measured in one style. */
export function candidatesOf({ pid, key, origin }: GatewayProcess) {
  const headers = { Authorization: `Bearer ${key}`, 'Arcade-User-ID': benchUser };
  return (
    name: string,
    slug: string,
    { style = 'stateless', tools = toolCount }: { style?: Candidate['target']['style']; tools?: number } = {},
  ): Candidate => {
    const url = `${origin}/mcp/${slug}`;
    return {
      name,
      pid,
      expectTools: tools,
      target: { url, headers, style, tool: 'Bench_Tool7', argument: 'text' },
    };
  };
}

/** Everything that a gateway does for a call: key, grants, rules, worker token, journal, metrics, log. */
export const everythingOn = '+ 20 rules';

export interface Stand {
  readonly gateway: GatewayProcess;
  /** The same call by ever more of what a gateway does, after what it is compared with. */
  readonly steps: readonly Candidate[];
  /** The same call by other ways in, and to another kind of source. */
  readonly ways: readonly Candidate[];
  readonly lists: readonly Candidate[];
  stop(): Promise<void>;
}

export const names = {
  direct: 'the worker itself',
  nginx: 'nginx, plain proxy',
  bare: 'node:http and undici, plain proxy',
} as const;

/** `compared`: another tree, whose gateway is measured beside this one's. */
export async function buildStand(
  compared: { readonly root: string; readonly ref: string } | null,
): Promise<Stand> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  const kept = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const started = await starting;
    stops.push(() => started.stop());
    return started;
  };
  const gatewayWith = (start: GatewayStart) =>
    kept(startGateway(gatewayConfig(behind.origin), { before: onCore(1), ...start }));
  let behind: Behind;
  try {
    behind = await kept(startUpstream(toolCount));
    const gateway = await gatewayWith({});
    const of = candidatesOf(gateway);
    const plain = of('', 'bench').target;
    const proxy = (name: string, { origin, pid }: Behind): Candidate => ({
      name,
      pid,
      expectTools: toolCount,
      target: { ...plain, url: `${origin}/mcp` },
    });
    const program = findNginx();
    const nginx = program === null ? null : await kept(startNginx(program, behind.origin, onCore(1)));
    const bare = await kept(startScript('bare-proxy.ts', [behind.origin], onCore(1)));
    const strict = await gatewayWith({ env: { SALLYPORT_AUDIT_DURABILITY: 'strict' } });
    const sink = await kept(startOtlpSink());
    const traced = await gatewayWith({
      env: {
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${sink.origin}/v1/traces`,
        OTEL_TRACES_SAMPLER: 'traceidratio',
        OTEL_TRACES_SAMPLER_ARG: '0.01',
      },
    });
    const before = compared === null ? null : await gatewayWith({ root: compared.root });
    const headers = { Authorization: `Bearer ${await accessTokenFor(gateway, 'bench-signed')}` };
    const signed = of('access token', 'bench-signed');
    return {
      gateway,
      steps: [
        { ...proxy(names.direct, behind), pid: null },
        ...(nginx === null ? [] : [proxy(names.nginx, nginx)]),
        proxy(names.bare, bare),
        of('gateway: key, worker token, journal', 'bench'),
        of('+ 5,000 grants', 'bench-granted'),
        of(everythingOn, 'bench-policy'),
        candidatesOf(strict)('+ strict journal', 'bench-policy'),
        candidatesOf(traced)('+ traces at 1 %, relaxed journal', 'bench-policy'),
        ...(before === null
          ? []
          : [candidatesOf(before)(`${everythingOn}, of ${compared?.ref}`, 'bench-policy')]),
      ],
      ways: [
        of('key, 2026-07-28', 'bench'),
        { ...signed, target: { ...signed.target, headers } },
        of('session, 2025-11-25', 'bench', { style: 'session' }),
        of('to an MCP source', 'bench-relay'),
      ],
      lists: [
        ...(nginx === null ? [] : [proxy(names.nginx, nginx)]),
        of(`gateway, ${toolCount} tools`, 'bench-all'),
      ],
      stop,
    };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}
