import { findNodeAtLocation, parseTree } from 'jsonc-parser';
import { placeIn } from '../../files/places.ts';
import { shownUrl } from '../../output/shown-url.ts';
import type { LintFile } from '../lint-file.ts';
import type { Repository } from '../repository.ts';
import type { Rule, Say } from '../rule.ts';
import { httpServersOf, looksLikeServer, serversOf } from './mcp-json-servers.ts';

export const mcpjsonPath: Rule = {
  id: 'mcpjson-path',
  level: 'error',
  what: 'addresses in .mcp.json have the path of the MCP endpoint, and stand under mcpServers with their type',
  why: 'Without /mcp a client asks the root of the server and gets a 404. Without "type": "http" Claude Code takes the entry for a program to start, and without mcpServers around them no client finds the entries at all.',
  fixable: true,
  check: (repository, say) => {
    checkAddresses(repository, say);
    checkTypes(repository, say);
    for (const file of repository.files) if (file.kind === 'mcp-json') checkWrapped(file, say);
  },
};

function checkAddresses(repository: Repository, say: Say): void {
  for (const { file, name, url, urlNode, place } of httpServersOf(repository)) {
    const parsed = URL.parse(url.replaceAll(/\$\{[^}]*\}/g, 'x'));
    if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
      say({ file, ...place }, `${name} has no http(s) address.`);
    } else if (parsed.pathname === '/' && parsed.search === '') {
      const end = urlNode.offset + urlNode.length - 1;
      const start = url.endsWith('/') ? end - 1 : end;
      const message = `The address of ${name} lacks the path of the endpoint: ${shownUrl(url).replace(/\/$/, '')}/mcp.`;
      say({ file, ...place }, message, { fix: [{ start, end, text: '/mcp' }] });
    }
  }
}

function checkTypes(repository: Repository, say: Say): void {
  for (const { file, text, name, node } of serversOf(repository)) {
    const first = node.children?.[0];
    const isTyped = findNodeAtLocation(node, ['type']) !== undefined;
    if (findNodeAtLocation(node, ['url']) === undefined || isTyped || first === undefined) continue;
    const space = text.slice(node.offset + 1, first.offset);
    const edit = {
      start: first.offset,
      end: first.offset,
      text: `"type": "http",${space === '' ? ' ' : space}`,
    };
    const message = `${name} says no type, so clients start it as a program: add "type": "http".`;
    say({ file, ...placeIn(text, node.offset) }, message, { fix: [edit] });
  }
}

function checkWrapped({ shown: file, text }: LintFile, say: Say): void {
  const root = text === null ? undefined : parseTree(text);
  if (root?.type !== 'object' || text === null || findNodeAtLocation(root, ['mcpServers']) !== undefined)
    return;
  const values = root.children?.map(({ children }) => children?.[1]) ?? [];
  if (values.length === 0 || !values.every((node) => node?.type === 'object' && looksLikeServer(node)))
    return;
  const end = root.offset + root.length;
  const fix = [
    { start: root.offset, end: root.offset, text: '{ "mcpServers": ' },
    { start: end, end, text: ' }' },
  ];
  const message = 'The servers stand at the top, where no client looks: put them under "mcpServers".';
  say({ file, ...placeIn(text, root.offset) }, message, { fix });
}

export const mcpjsonHeader: Rule = {
  id: 'mcpjson-header',
  level: 'error',
  what: 'headers in .mcp.json take their values from the environment',
  why: 'The file is in git: a token in it is known to everybody who can read the repository, for as long as git remembers. A reference to the environment lets everybody use a token of their own.',
  fixable: false,
  check: (repository, say) => {
    for (const { file, text, name, node } of serversOf(repository)) {
      for (const header of findNodeAtLocation(node, ['headers'])?.children ?? []) {
        const [key, value] = header.children ?? [];
        if (typeof value?.value !== 'string' || /\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}/.test(value.value))
          continue;
        if (!/authorization|token|key|secret|cookie|password/i.test(String(key?.value))) continue;
        say(
          { file, ...placeIn(text, value.offset) },
          `${key?.value} of ${name} stands here in plain text: write "\${NAME}" for the value, and make a new one of what was here.`,
        );
      }
    }
  },
};
