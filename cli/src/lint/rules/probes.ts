import { annotation } from '../../manifests/metadata.ts';
import { type Container, containersOf, type Workload } from '../resource.ts';
import { at, type Rule, type Say } from '../rule.ts';
import { list, mapping, text } from '../values.ts';

export const probes: Rule = {
  id: 'probes',
  level: 'warning',
  what: 'servers have startup, readiness and liveness probes, and none of them asks the MCP endpoint',
  why: 'Without a readiness probe calls reach a server that is still starting; without a liveness probe one that hangs stays. FastMCP has no /health of its own: choose httpGet where there is one, tcpSocket where not. A GET of /mcp opens a stream or is refused, so a probe of it says nothing.',
  fixable: false,
  check: ({ workloads }, say) => {
    for (const workload of workloads) {
      if (workload.kind !== 'Deployment' && workload.kind !== 'StatefulSet') continue;
      const endpoint = text(workload.get(['metadata', 'annotations', annotation.path])) ?? '/mcp';
      for (const container of containersOf(workload)) {
        const isServer = container.kind === 'containers' && list(container.value.ports).length > 0;
        if (isServer) checkProbes(workload, container, endpoint, say);
      }
    }
  },
};

const all = ['startupProbe', 'readinessProbe', 'livenessProbe'];

function checkProbes(workload: Workload, { path, value, name }: Container, endpoint: string, say: Say): void {
  const missing = all.filter((probe) => value[probe] === undefined);
  if (missing.length > 0) {
    const which = missing.length === 1 ? 'it' : 'them';
    const message = `${name} has no ${missing.join(', no ')}: add ${which}, with tcpSocket where it has no path for it.`;
    say(at(workload, path), message);
  }
  for (const probe of all) {
    const asked = text(mapping(mapping(value[probe]).httpGet).path);
    if (asked?.replace(/\/$/, '') !== endpoint) continue;
    const message = `A GET of ${asked} opens a stream or is refused: ask a path for health, or use tcpSocket.`;
    say(at(workload, [...path, probe, 'httpGet', 'path']), message);
  }
}
