import { portName } from '../../manifests/names.ts';
import { at, type Rule } from '../rule.ts';
import { list, mapping, text } from '../values.ts';

export const service: Rule = {
  id: 'service',
  level: 'warning',
  what: `the port of the MCP endpoint is named ${portName} or mcp`,
  why: 'Gateways, Ingresses and monitors find the endpoint by the name of its port, which stays when the number changes. agentgateway finds servers by appProtocol, too.',
  fixable: false,
  check: (repository, say) => {
    for (const workload of repository.workloads) {
      for (const one of repository.servicesOf(workload)) {
        for (const [index, port] of list(one.get(['spec', 'ports'])).entries()) {
          const name = text(mapping(port).name);
          if (name !== undefined && [portName, 'mcp', 'metrics'].includes(name)) continue;
          const where = at(one, ['spec', 'ports', index, ...(name === undefined ? [] : ['name'])]);
          say(
            where,
            name === undefined
              ? `Name the port ${portName}.`
              : `${name} tells nobody that MCP is spoken here: name the port ${portName}.`,
          );
        }
      }
    }
  },
};
