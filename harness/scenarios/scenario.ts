import type { RequirementId } from '../requirements/access-control.ts';
import type { Upstreams } from './access-control/upstreams.ts';
import {
  type Adapter,
  type Control,
  type GatewayUnderTest,
  type Handle,
  isNotSupported,
  type ToolRef,
} from './gateway-under-test.ts';
import { type Era, type McpUser, openMcpUser } from './mcp-user.ts';

/** Something that is done to a gateway from outside, and what must be seen then. */
export interface Scenario {
  readonly title: string;
  readonly verifies: readonly RequirementId[];
  run(stage: Stage): Promise<void>;
}

export interface Check {
  readonly claim: string;
  readonly holds: boolean;
  /** What was sent, what came, what was counted. */
  readonly evidence: string;
}

export interface ScenarioResult {
  readonly title: string;
  readonly verifies: readonly RequirementId[];
  /** Passed: it was run to its end, checked something, and every check held. */
  readonly verdict: 'passed' | 'failed' | 'not supported';
  readonly checks: readonly Check[];
  /** Why it came to no end. */
  readonly reason?: string;
}

/** What all scenarios have in common. */
export interface Setting {
  readonly gateway: GatewayUnderTest;
  readonly upstreams: Upstreams;
  readonly worker: Adapter['worker'];
}

/** What a scenario may do. Whatever it granted, ruled and opened is taken back when it is over. */
export interface Stage extends Setting {
  check(claim: string, holds: boolean, evidence: string): void;
  open(era: Era, user: string): Promise<McpUser>;
  grant(user: string, tools: readonly ToolRef[]): Promise<Handle>;
  revoke(grant: Handle): Promise<void>;
  blockInput(...asked: Parameters<Control['blockInput']>): Promise<Handle>;
  redactOutput(...asked: Parameters<Control['redactOutput']>): Promise<Handle>;
  removeRule(rule: Handle): Promise<void>;
}

export async function runScenario(
  { title, verifies, run }: Scenario,
  setting: Setting,
): Promise<ScenarioResult> {
  const checks: Check[] = [];
  const undo = new Map<string | McpUser, () => Promise<void>>();
  let stopped: { verdict: 'failed' | 'not supported'; reason: string } | null = null;
  try {
    await run(stageOf(setting, checks, undo));
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    stopped = { verdict: isNotSupported(thrown) ? 'not supported' : 'failed', reason };
  }
  for (const [what, takeBack] of [...undo].reverse()) {
    await takeBack().catch((thrown) => {
      const claim = `${typeof what === 'string' ? what : 'a client'} can be taken back`;
      checks.push({ claim, holds: false, evidence: String(thrown) });
    });
  }
  if (checks.some(({ holds }) => !holds)) return { title, verifies, checks, verdict: 'failed' };
  if (stopped !== null) return { title, verifies, checks, ...stopped };
  if (checks.length > 0) return { title, verifies, checks, verdict: 'passed' };
  return { title, verifies, checks, verdict: 'failed', reason: 'nothing was checked' };
}

function stageOf(setting: Setting, checks: Check[], undo: Map<string | McpUser, () => Promise<void>>): Stage {
  const { gateway } = setting;
  const { control } = gateway;
  async function rule(made: Promise<Handle>): Promise<Handle> {
    const handle = await made;
    undo.set(`rule ${handle}`, () => control.removeRule(handle));
    return handle;
  }
  return {
    ...setting,
    check: (claim, holds, evidence) => void checks.push({ claim, holds, evidence }),
    async open(era, user) {
      const opened = await openMcpUser(era, user, await gateway.connect(user));
      undo.set(opened, () => opened.close());
      return opened;
    },
    async grant(user, tools) {
      const handle = await control.grant(user, tools);
      undo.set(`grant ${handle}`, () => control.revoke(handle));
      return handle;
    },
    async revoke(grant) {
      await control.revoke(grant);
      undo.delete(`grant ${grant}`);
    },
    blockInput: (...asked) => rule(control.blockInput(...asked)),
    redactOutput: (...asked) => rule(control.redactOutput(...asked)),
    async removeRule(handle) {
      await control.removeRule(handle);
      undo.delete(`rule ${handle}`);
    },
  };
}
