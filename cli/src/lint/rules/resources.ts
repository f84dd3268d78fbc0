import { amountOf } from '../../manifests/quantity.ts';
import { type Container, containersOf, type Workload } from '../resource.ts';
import { at, type Rule, type Say } from '../rule.ts';
import { mapping } from '../values.ts';

export const resources: Rule = {
  id: 'resources',
  level: 'error',
  what: 'containers request cpu and memory, limit their memory, and request no more than their limits',
  why: 'Without requests the scheduler does not know where a pod fits, and the node throws it out first. Without a memory limit one server can take the memory of its whole node. A CPU limit below 200m makes a start take longer than its probe waits. The convention is 50m and 128Mi, at most 250m and 256Mi.',
  fixable: false,
  check: ({ workloads }, say) => {
    for (const workload of workloads) {
      for (const container of containersOf(workload)) {
        if (container.kind === 'ephemeralContainers') continue;
        for (const resource of ['cpu', 'memory']) checkOne(workload, container, resource, say);
        checkLimits(workload, container, say);
      }
    }
  },
};

function checkOne(workload: Workload, container: Container, resource: string, say: Say): void {
  const { path, value, name } = container;
  const { requests, limits } = mapping(value.resources);
  const where = [...path, 'resources'];
  const given = { requests: mapping(requests)[resource], limits: mapping(limits)[resource] };
  for (const [field, quantity] of Object.entries(given)) {
    if ((amountOf(quantity) ?? 0) >= 0) continue;
    say(at(workload, [...where, field, resource]), `${quantity} must be 0 or more.`);
  }
  if ((amountOf(given.requests) ?? 0) > (amountOf(given.limits) ?? Infinity)) {
    const message = `${name} requests more ${resource} than its limit: ${given.requests} > ${given.limits}.`;
    say(at(workload, [...where, 'requests', resource]), message);
  }
  if (given.requests === undefined && given.limits === undefined) {
    say(at(workload, where), `${name} requests no ${resource}: add resources.requests.${resource}.`);
  }
}

/** Shorter of CPU than this, an interpreter takes longer to start than its probe waits. */
const leastCpu = 0.2;

function checkLimits(workload: Workload, { path, value, name }: Container, say: Say): void {
  const limits = mapping(mapping(value.resources).limits);
  const where = [...path, 'resources'];
  if (limits.memory === undefined) {
    const message = `${name} may take all memory of its node: add resources.limits.memory.`;
    say(at(workload, where), message, { level: 'warning' });
  }
  if ((amountOf(limits.cpu) ?? Infinity) < leastCpu) {
    const message = `A CPU limit of ${limits.cpu} slows the start of ${name}: give it 250m or more, or no CPU limit.`;
    say(at(workload, [...where, 'limits', 'cpu']), message, { level: 'warning' });
  }
}
