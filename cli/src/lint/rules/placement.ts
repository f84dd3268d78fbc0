import { isIPv4 } from 'node:net';
import { yamlOf } from '../lint-file.ts';
import type { Rule } from '../rule.ts';
import { mapping, text } from '../values.ts';
import { httpServersOf } from './mcp-json-servers.ts';

export const placement: Rule = {
  id: 'placement',
  level: 'error',
  what: 'MCP servers run only in clusters that are allowed',
  why: 'An agent that is misled does what its tools can. In a cluster of their own, that is not the cluster where production or its monitoring runs. What a cluster is, is said by the uid of its namespace kube-system; addresses and names of contexts are hints only.',
  fixable: false,
  check: (repository, say) => {
    const { clusters, cluster: usual } = repository.project.conventions;
    const allowed = Object.keys(clusters).filter((name) => clusters[name]?.allowed);
    for (const file of repository.files) {
      const { kind, shown } = file;
      if (kind !== 'server' || file.text === null) continue;
      const [document] = yamlOf(file).file.documents;
      const name = text(mapping(document?.object).cluster) ?? usual;
      const place = document?.at(['cluster']) ?? { line: 1, column: 1 };
      if (clusters[name] === undefined)
        say(
          { file: shown, ...place },
          `The conventions know no cluster ${name}: there are ${Object.keys(clusters).join(', ')}.`,
        );
      else if (!allowed.includes(name))
        say({ file: shown, ...place }, `MCP servers do not run in ${name}: choose ${allowed.join(' or ')}.`);
    }
    for (const { file, name, url, place } of httpServersOf(repository)) {
      const host = URL.parse(url)?.hostname ?? '';
      const wrong = Object.entries(clusters).find(
        ([, { cidr, allowed: may }]) => !may && cidr !== undefined && contains(cidr, host),
      );
      if (wrong !== undefined)
        say(
          { file, ...place },
          `${host} of ${name} is a node of ${wrong[0]}, where MCP servers do not run: sallyport deploy migrate moves it.`,
        );
    }
  },
};

function contains(cidr: string, host: string): boolean {
  const [network = '', bits = ''] = cidr.split('/');
  if (!isIPv4(host) || !isIPv4(network)) return false;
  const number = (address: string) => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  return Math.floor(number(host) / size) === Math.floor(number(network) / size);
}
