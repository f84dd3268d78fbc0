import type { ToolRef } from '../gateway-under-test.ts';
import { type Era, eras, within } from '../mcp-user.ts';
import type { Scenario } from '../scenario.ts';
import { slowAnswer } from './desk.ts';

const first: ToolRef = { toolkit: 'Github', tool: 'GetIssue' };
const second: ToolRef = { toolkit: 'Atlassian', tool: 'GetPage' };

const comeAndGo = (era: Era): Scenario => ({
  title: `a grant comes and goes under an open connection, which hears of it (${era})`,
  verifies: ['access.live-grants', 'gate.no-restart'],
  async run(stage) {
    const { gateway, check, upstreams } = stage;
    const name = `lena-${era}@example.com`;
    await stage.grant(name, [first]);
    const user = await stage.open(era, name);
    const [firstName, secondName] = [gateway.wireName(first), gateway.wireName(second)];
    const listed = async () => (await user.list()).join(', ');
    const atFirst = await listed();
    check('the list shows what is granted', atFirst === firstName, `tools/list: ${atFirst}`);
    const ranAtFirst = upstreams.desk.ran(second);
    const refused = await user.call(secondName);
    const isRefused = refused.isError && upstreams.desk.ran(second) === ranAtFirst;
    check('and nothing else can be called', isRefused, refused.text);

    const told = user.nextListChange();
    const grant = await stage.grant(name, [second]);
    const next = await user.call(secondName);
    check('the very next call after a new grant runs', !next.isError, next.text);
    check('tools/list_changed came', await told, 'on the stream that was open before the grant');
    const then = await listed();
    check('the list shows the new tool', then.split(', ').includes(secondName), `tools/list: ${then}`);

    const toldAgain = user.nextListChange();
    await stage.revoke(grant);
    const before = upstreams.desk.ran(second);
    const last = await user.call(secondName);
    const ran = upstreams.desk.ran(second) - before;
    check(
      'the very next call after its removal is refused',
      last.isError && ran === 0,
      `${last.text}; counter +${ran}`,
    );
    check('tools/list_changed came again', await toldAgain, 'on the same stream');
    const atLast = await listed();
    check('the list is what it was', atLast === atFirst, `tools/list: ${atLast}`);
    const evidence = user.isListening() ? 'the first stream is still open' : 'the first stream has ended';
    check('all on one connection: nothing had to be opened anew', user.isListening(), evidence);
  },
});

const underWay = (era: Era, toolkit: ToolRef['toolkit']): Scenario => ({
  title: `the answer of a call under way is withheld when its grant is removed (${toolkit}, ${era})`,
  verifies: ['access.live-grants', 'gate.no-restart'],
  async run(stage) {
    const { gateway, check, upstreams } = stage;
    const slow: ToolRef = { toolkit, tool: 'Slow' };
    const name = `uwe-${toolkit.toLowerCase()}-${era}@example.com`;
    const grant = await stage.grant(name, [slow]);
    const user = await stage.open(era, name);
    const tool = gateway.wireName(slow);
    const complete = await user.call(tool);
    check('while it is granted the answer comes', complete.text.includes(slowAnswer), complete.text);

    const from = user.received.exchanges.length;
    const held = upstreams.desk.hold(slow);
    const call = user.call(tool);
    try {
      await within(held.running, 'the call');
      await stage.revoke(grant);
    } finally {
      held.letGo();
    }
    const { isError, text } = await call;
    check('the call ends with an error', isError, text);
    const leaked = user.received.exchanges.slice(from).some(({ body }) => body().includes(slowAnswer));
    check('no byte of the answer came', !leaked, `${user.received.exchanges.length - from} answers read`);
  },
});

export const liveGrants = eras.flatMap((era) => [
  comeAndGo(era),
  underWay(era, 'Github'),
  underWay(era, 'Atlassian'),
]);
