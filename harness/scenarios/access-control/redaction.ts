import type { Toolkit, ToolRef } from '../gateway-under-test.ts';
import { type Era, eras, type McpUser } from '../mcp-user.ts';
import type { Scenario, Stage } from '../scenario.ts';
import { secretNumber } from './desk.ts';
import { ssnPattern } from './patterns.ts';

const everything: readonly ToolRef[] = [
  { toolkit: 'Github', tool: '*' },
  { toolkit: 'Atlassian', tool: '*' },
];

/** Ways out of a tool, and what of its answer must still be there when the number is gone. */
const waysOut: readonly { toolkit: Toolkit; tool: string; way: string; isError: boolean; kept: string }[] = [
  {
    toolkit: 'Atlassian',
    tool: 'GetPerson',
    way: '`content`, `structuredContent`, JSON text, an embedded resource',
    isError: false,
    kept: 'Ada',
  },
  { toolkit: 'Github', tool: 'GetContributor', way: "a worker's value", isError: false, kept: 'Ada' },
  {
    toolkit: 'Atlassian',
    tool: 'FailPage',
    way: 'a result with `isError`',
    isError: true,
    kept: 'nobody has the number',
  },
  {
    toolkit: 'Github',
    tool: 'FailContributor',
    way: "a worker's error",
    isError: true,
    kept: 'no contributor has the number',
  },
  {
    toolkit: 'Atlassian',
    tool: 'CrashPage',
    way: 'an error of JSON-RPC, message and data',
    isError: true,
    kept: 'is locked',
  },
  {
    toolkit: 'Atlassian',
    tool: 'StreamPage',
    way: 'what is streamed while the tool runs',
    isError: false,
    kept: 'The page was streamed',
  },
];

const byPattern = (era: Era): Scenario => ({
  title: `what a pattern matches is in no byte that the client gets, whatever way it goes (${era})`,
  verifies: ['access.output-redaction', 'gate.redacted-means-absent'],
  async run(stage) {
    const name = `olga-${era}@example.com`;
    await stage.grant(name, everything);
    const before = await stage.open(era, name);
    const leaks = await callAll(stage, before);
    stage.check(
      'without the rule the number comes through, by every way: the judge would see it',
      leaks.every(({ leaked }) => leaked),
      leaks.map(({ tool, leaked }) => `${tool}: ${leaked ? 'seen' : 'not seen'}`).join(', '),
    );
    await stage.redactOutput({ pattern: ssnPattern }, everything);
    const after = await stage.open(era, name);
    for (const { way, tool, text, isError, kept, expected } of await callAll(stage, after)) {
      stage.check(
        `${way}: the rest of ${tool}'s answer is there`,
        isError === expected && text.includes(kept),
        text,
      );
    }
    stage.check(
      'the number is in none of the bytes that came',
      !after.received.holds(secretNumber),
      `${after.received.bytes()} bytes in ${after.received.exchanges.length} answers${sample(after)}`,
    );
    stage.check(
      'progress came, without it',
      after.progressed() > 0 && after.progressed() === before.progressed(),
      `${after.progressed()} notifications; ${before.progressed()} without the rule`,
    );
  },
});

/** Calls each tool, with a look at what came for it. */
async function callAll({ gateway }: Stage, user: McpUser) {
  const seen = [];
  for (const { toolkit, tool, way, isError: expected, kept } of waysOut) {
    const from = user.received.exchanges.length;
    const { isError, text } = await user.call(gateway.wireName({ toolkit, tool }));
    const came = user.received.exchanges.slice(from).map(({ body }) => body());
    const leaked = `${came.join('\n')}\n${text}`.includes(secretNumber);
    seen.push({ tool, way, isError, expected, kept, text, leaked });
  }
  return seen;
}

/** Where the number stood, without showing more than it takes. */
function sample({ received }: McpUser): string {
  const body = received.exchanges
    .map((answer) => answer.body())
    .find((whole) => whole.includes(secretNumber));
  const at = body?.indexOf(secretNumber) ?? 0;
  return body === undefined ? '' : `, for example: …${body.slice(Math.max(0, at - 60), at + 20)}…`;
}

const byPath = (era: Era): Scenario => ({
  title: `a field named by its path is gone from structure and from JSON text alike (${era})`,
  verifies: ['access.output-redaction', 'gate.redacted-means-absent'],
  async run(stage) {
    const { gateway, check } = stage;
    const name = `pia-${era}@example.com`;
    const tools: readonly ToolRef[] = [
      { toolkit: 'Atlassian', tool: 'GetPerson' },
      { toolkit: 'Github', tool: 'GetContributor' },
    ];
    await stage.grant(name, tools);
    await stage.redactOutput({ path: '$..ssn' }, tools);
    const user = await stage.open(era, name);
    for (const tool of tools) {
      const { isError, text } = await user.call(gateway.wireName(tool));
      const fields = [...text.matchAll(/\\*"ssn\\*":\s*\\*"([^"\\]*)/g)].map(([, value]) => value);
      check(
        `no field ssn of ${tool.tool} has its value, at any depth`,
        !isError && !fields.includes(secretNumber),
        `values of ssn: ${fields.join(', ') || 'none'}`,
      );
      check(`the other fields of ${tool.tool} are there`, text.includes('Ada') && text.includes('Ann'), text);
    }
  },
});

export const redaction = eras.flatMap((era) => [byPattern(era), byPath(era)]);
