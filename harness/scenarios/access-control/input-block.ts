import type { ToolRef } from '../gateway-under-test.ts';
import { type Era, eras } from '../mcp-user.ts';
import type { Scenario } from '../scenario.ts';
import { ssnPattern } from './patterns.ts';
import { recordsOf } from './records.ts';

const create: ToolRef = { toolkit: 'Github', tool: 'CreateIssue' };
const mockSsn = '078-05-1120';

/** Where a caller can put it. */
const hidden: Record<string, Record<string, unknown>> = {
  'as a whole argument': { title: mockSsn },
  'amid text': { title: 'Question', body: `My number is ${mockSsn}, help!` },
  'deep in a list': { title: 'Question', labels: [{ name: 'ok' }, { name: `ssn ${mockSsn}` }] },
};

const blocked = (era: Era): Scenario => ({
  title: `an input that holds a pattern is refused before the tool runs, and logged (${era})`,
  verifies: ['access.input-block', 'gate.blocked-before-execution'],
  async run(stage) {
    const { gateway, check, upstreams } = stage;
    const name = `ines-${era}@example.com`;
    await stage.grant(name, [create]);
    const user = await stage.open(era, name);
    const tool = gateway.wireName(create);
    const count = () =>
      `ran ${upstreams.desk.ran(create)} times, ${upstreams.tap.captured.length} requests to the worker`;
    const open = await user.call(tool, hidden['amid text']);
    check('without the rule the call runs', !open.isError, `${open.text}; ${count()}`);

    const rule = await stage.blockInput(ssnPattern, [create]);
    const requestsBefore = upstreams.tap.captured.length;
    for (const [where, args] of Object.entries(hidden)) {
      const before = upstreams.desk.ran(create);
      const { isError, text } = await user.call(tool, args);
      const ran = upstreams.desk.ran(create) - before;
      check(
        `${where}, it is refused and the tool does not run`,
        isError && ran === 0,
        `${text}; counter +${ran}`,
      );
    }
    const sentOn = upstreams.tap.captured.slice(requestsBefore).filter(({ method }) => method === 'POST');
    check(
      'nothing was sent to the server of the tool',
      sentOn.length === 0,
      `${sentOn.length} calls passed the tap`,
    );

    const records = await recordsOf(
      gateway,
      name,
      (all) => all.filter(({ decision }) => decision === 'refused').length >= 3,
    );
    const refusals = records.filter(({ decision }) => decision === 'refused');
    check(
      'each refusal has a record',
      refusals.length === 3,
      `${refusals.length} records, such as ${refusals[0]?.raw}`,
    );
    check(
      'no record repeats the number',
      !records.some(({ raw }) => raw.includes(mockSsn)),
      `${records.length} records read`,
    );

    const harmless = await user.call(tool, { title: 'No number' });
    check('an input without it still runs', !harmless.isError, `${harmless.text}; ${count()}`);
    await stage.removeRule(rule);
    const again = await user.call(tool, hidden['amid text']);
    check(
      'without the rule it runs again: the rule was what refused it',
      !again.isError,
      `${again.text}; ${count()}`,
    );
  },
});

export const inputBlock = eras.map(blocked);
