import type { ToolRef } from '../gateway-under-test.ts';
import { type Era, eras, type McpUser, type Outcome, openMcpUser } from '../mcp-user.ts';
import type { Exchange } from '../recorder.ts';
import type { Scenario, Stage } from '../scenario.ts';
import { atlassianTools } from './atlassian-server.ts';
import { githubTools } from './github-worker.ts';

const page: ToolRef = { toolkit: 'Atlassian', tool: 'GetPage' };
/** Nobody has it; the name is as long, so that answers of the same length are the same. */
const unknown: ToolRef = { toolkit: 'Atlassian', tool: 'GotPage' };
const issue: ToolRef = { toolkit: 'Github', tool: 'GetIssue' };

interface Pair {
  readonly gita: McpUser;
  readonly atul: McpUser;
}

/** One with the GitHub tools, one with the Atlassian tools, on one gateway. */
async function openPair(stage: Stage, era: Era, topic: string): Promise<Pair> {
  const [gita, atul] = [`gita-${topic}-${era}@example.com`, `atul-${topic}-${era}@example.com`];
  await stage.grant(gita, [{ toolkit: 'Github', tool: '*' }]);
  await stage.grant(atul, [{ toolkit: 'Atlassian', tool: '*' }]);
  return { gita: await stage.open(era, gita), atul: await stage.open(era, atul) };
}

const ownTools = (era: Era): Scenario => ({
  title: `each of two users sees and runs their own tools only (${era})`,
  verifies: ['access.isolation', 'gate.isolation'],
  async run(stage) {
    const { gateway, check, upstreams } = stage;
    const { gita, atul } = await openPair(stage, era, 'own');
    const names = (toolkit: ToolRef['toolkit'], tools: readonly string[]) =>
      tools.map((tool) => gateway.wireName({ toolkit, tool })).sort();
    for (const [user, expected] of [
      [gita, names('Github', githubTools)],
      [atul, names('Atlassian', atlassianTools)],
    ] as const) {
      const listed = await user.list();
      check(
        `${user.name}'s list shows the granted tools and no others`,
        String(listed) === String(expected),
        `tools/list: ${listed.join(', ')}`,
      );
    }
    const before = upstreams.desk.ran(page);
    const own = await atul.call(gateway.wireName(page));
    check(
      'whoever has the tool can run it',
      !own.isError && own.text.includes('A page of Atlassian'),
      own.text,
    );
    const refused = await gita.call(gateway.wireName(page));
    const ran = upstreams.desk.ran(page) - before;
    check('whoever has it not is refused, knowing its name', refused.isError, refused.text);
    check('the tool ran once, for the one who has it', ran === 1, `the counter went up by ${ran}`);
    const before2 = upstreams.desk.ran(issue);
    const refusedToo = await atul.call(gateway.wireName(issue));
    const ran2 = upstreams.desk.ran(issue) - before2;
    check(
      'the same the other way round',
      refusedToo.isError && ran2 === 0,
      `${refusedToo.text}; counter +${ran2}`,
    );
  },
});

const sameRefusal = (era: Era): Scenario => ({
  title: `the refusal of a tool of somebody else is that of an unknown tool, byte for byte (${era})`,
  verifies: ['access.isolation'],
  async run(stage) {
    const { gateway, check } = stage;
    const { gita } = await openPair(stage, era, 'refusal');
    const answers: string[] = [];
    for (const tool of [page, unknown, page, unknown]) {
      const from = gita.received.exchanges.length;
      await gita.call(gateway.wireName(tool));
      answers.push(
        gita.received.exchanges
          .slice(from)
          .map((answer) => fingerprint(answer, tool))
          .join('\n\n'),
      );
    }
    const [known = '', other = ''] = answers;
    check(
      'the refusals differ in nothing but name, ids and times',
      known === other && known !== '',
      `somebody else's: ${known}\nunknown: ${other}`,
    );
    check(
      'and stay the same when they are asked for again',
      known === answers[2] && other === answers[3],
      `${answers.length} answers compared`,
    );
  },
});

/** An answer without what differs between any two: ids, times, and the name that was asked for. */
function fingerprint({ status, headers, body }: Exchange, { tool }: ToolRef): string {
  const head = [...headers].filter(([name]) => !['date', 'age'].includes(name));
  return `${status} ${JSON.stringify(head)} ${body()}`
    .replaceAll(tool, '(name)')
    .replace(/"id":\s*\d+/g, '"id":(id)')
    .replace(/^id: .*$/gm, 'id: (id)')
    .replace(/[0-9a-f]{8,}(-[0-9a-f]{4,})*/gi, '(hex)')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '(time)');
}

const otherSpellings = (era: Era): Scenario => ({
  title: `no spelling of a name gets at a tool of somebody else (${era})`,
  verifies: ['gate.isolation'],
  async run(stage) {
    const { gateway, check, upstreams } = stage;
    const { gita } = await openPair(stage, era, 'spelling');
    const name = gateway.wireName(page);
    const spellings = [
      name.toUpperCase(),
      name.toLowerCase(),
      `${name} `,
      `${name}@1.0.0`,
      name.replace(/[_.-]+/, '.'),
      name.replace(/[_.-]+/, '/'),
      name.replace(/[_.-]+/, '__'),
      encodeURIComponent(name).replace(/_/g, '%5F'),
      `${gateway.wireName(issue)}/../${name}`,
      page.tool,
    ];
    const before = upstreams.desk.ran(page);
    for (const spelling of spellings) {
      const { isError, text } = await gita.call(spelling);
      check(`"${spelling}" is refused`, isError, text);
    }
    const ran = upstreams.desk.ran(page) - before;
    check('the tool did not run', ran === 0, `the counter went up by ${ran}`);
  },
});

const falseNames = (era: Era): Scenario => ({
  title: `who says they are somebody else does not become so (${era})`,
  verifies: ['gate.isolation'],
  async run(stage) {
    const { gateway, check, upstreams } = stage;
    const { gita, atul } = await openPair(stage, era, 'name');
    const before = upstreams.desk.ran(page);
    const own = await gateway.connect(gita.name);
    const forged: Record<string, string> = {
      'arcade-user-id': atul.name,
      'sallyport-user-id': atul.name,
      'x-user-id': atul.name,
    };
    for (const [name, value] of Object.entries(own.headers)) {
      forged[name.toLowerCase()] = value.replaceAll(gita.name, atul.name);
    }
    const outcome = await tryAs(era, { url: own.url, headers: forged }, gateway.wireName(page));
    check(
      `the credentials of ${gita.name} with the name of ${atul.name} open nothing`,
      outcome.isError,
      outcome.text,
    );
    const session = atul.received.exchanges.map(({ headers }) => headers.get('mcp-session-id')).find(Boolean);
    if (session != null) {
      const stolen = await postCall(own, { 'mcp-session-id': session }, gateway.wireName(page));
      check(`nor does the session of ${atul.name}`, !stolen.includes('A page of Atlassian'), stolen);
    }
    const ran = upstreams.desk.ran(page) - before;
    check('the tool did not run', ran === 0, `the counter went up by ${ran}`);
  },
});

type Access = Parameters<typeof openMcpUser>[2];

/** A gateway may refuse the connection, or the call. */
async function tryAs(era: Era, access: Access, tool: string): Promise<Outcome> {
  try {
    const user = await openMcpUser(era, 'somebody', access);
    const outcome = await user.call(tool);
    await user.close();
    return outcome;
  } catch (thrown) {
    return { isError: true, text: `no connection: ${thrown instanceof Error ? thrown.message : thrown}` };
  }
}

async function postCall(
  { url, headers }: Access,
  more: Record<string, string>,
  tool: string,
): Promise<string> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      ...headers,
      ...more,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: tool, arguments: {} },
    }),
  });
  return `HTTP ${answer.status}: ${await answer.text()}`;
}

export const isolation = eras.flatMap((era) => [
  ownTools(era),
  sameRefusal(era),
  otherSpellings(era),
  falseNames(era),
]);
