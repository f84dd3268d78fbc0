import type { GatewayUnderTest, RecordedDecision, ToolRef } from '../gateway-under-test.ts';
import { type Era, eras, patienceMs } from '../mcp-user.ts';
import type { Scenario } from '../scenario.ts';
import { secretNumber } from './desk.ts';
import { ssnPattern } from './patterns.ts';

/** The gateway's records of the user, once they are complete, or as they are when patience ends. */
export async function recordsOf(
  { control }: GatewayUnderTest,
  user: string,
  complete: (records: readonly RecordedDecision[]) => boolean,
): Promise<readonly RecordedDecision[]> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const records = await control.records(user);
    if (complete(records) || performance.now() > end) return records;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const allowed: ToolRef = { toolkit: 'Github', tool: 'GetIssue' };
const blocked: ToolRef = { toolkit: 'Github', tool: 'CreateIssue' };
const redacted: ToolRef = { toolkit: 'Github', tool: 'GetContributor' };
const notGranted: ToolRef = { toolkit: 'Atlassian', tool: 'GetPage' };

const everyDecision = (era: Era): Scenario => ({
  title: `an allow, a block, a redaction and a refusal can be looked up, without what was in them (${era})`,
  verifies: ['gate.every-decision-recorded'],
  async run(stage) {
    const { gateway, check } = stage;
    const name = `rosa-${era}@example.com`;
    await stage.grant(name, [{ toolkit: 'Github', tool: '*' }]);
    await stage.blockInput(ssnPattern, [blocked]);
    await stage.redactOutput({ pattern: ssnPattern }, [redacted]);
    const user = await stage.open(era, name);
    await user.call(gateway.wireName(allowed));
    await user.call(gateway.wireName(blocked), { title: secretNumber });
    await user.call(gateway.wireName(redacted));
    await user.call(gateway.wireName(notGranted));

    const records = await recordsOf(gateway, name, (all) => all.length >= 4);
    const about = ({ tool }: ToolRef) => records.filter((record) => record.tool.includes(tool));
    const shown = (tool: ToolRef) =>
      about(tool)
        .map(({ raw }) => raw)
        .join('\n') || 'no record';
    const one = (tool: ToolRef) => (about(tool).length === 1 ? about(tool)[0] : undefined);
    check('one record of the call that was allowed', one(allowed)?.decision === 'allowed', shown(allowed));
    check('one of the call that was blocked', one(blocked)?.decision === 'refused', shown(blocked));
    check(
      'one of the call whose answer was redacted, which says so',
      one(redacted)?.decision === 'allowed' && (one(redacted)?.redactions ?? 0) > 0,
      shown(redacted),
    );
    check('one of the call that was not granted', one(notGranted)?.decision === 'refused', shown(notGranted));
    check(
      'each names the user',
      records.every((record) => record.user === name),
      `${records.length} records read`,
    );
    check(
      'none holds the number',
      !records.some(({ raw }) => raw.includes(secretNumber)),
      `${records.length} records read`,
    );
  },
});

export const recorded = eras.map(everyDecision);
