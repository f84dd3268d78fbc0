import type { ToolRef } from '../gateway-under-test.ts';

/** What the servers behind the gateway tell the judge, and the judge them. */
export interface Desk {
  /** How often the tool ran. */
  ran(tool: ToolRef): number;
  /** The next run of the tool does not end before it is let go. */
  hold(tool: ToolRef): Held;
  /** Called by the tool when it runs; resolves at once, or when it is let go. */
  enter(tool: ToolRef): Promise<void>;
}

export interface Held {
  /** Resolves when the tool runs. */
  readonly running: Promise<void>;
  letGo(): void;
}

export function createDesk(): Desk {
  const runs = new Map<string, number>();
  const held = new Map<string, { arrive: () => void; leave: Promise<void> }>();
  const keyOf = ({ toolkit, tool }: ToolRef) => `${toolkit}.${tool}`;
  return {
    ran: (tool) => runs.get(keyOf(tool)) ?? 0,
    hold(tool) {
      const arrival = Promise.withResolvers<void>();
      const departure = Promise.withResolvers<void>();
      held.set(keyOf(tool), { arrive: arrival.resolve, leave: departure.promise });
      return { running: arrival.promise, letGo: departure.resolve };
    },
    async enter(tool) {
      const key = keyOf(tool);
      runs.set(key, (runs.get(key) ?? 0) + 1);
      const hold = held.get(key);
      if (hold === undefined) return;
      held.delete(key);
      hold.arrive();
      await hold.leave;
    },
  };
}

/** A number that looks like a person's and is nobody's: it was printed on sample cards. */
export const secretNumber = '219-09-9999';

/** A record with the number in all the ways that a record can hold it. */
export const contributor = {
  name: 'Ada',
  ssn: secretNumber,
  family: [{ name: 'Ann', ssn: secretNumber }],
  note: `Her number is ${secretNumber}, as she said.`,
  form: JSON.stringify({ page: 1, ssn: secretNumber }),
};

/** What the tools answer that somebody waits for. */
export const slowAnswer = 'the-answer-of-a-slow-tool';
