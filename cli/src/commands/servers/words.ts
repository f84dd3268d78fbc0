import type { Printer } from '../../output/printer.ts';
import type { Worker, WorkerStatus } from '../../remote/answers.ts';

/** How a server is, in one word, and the step that fails. */
export function stateOf({ status: { state, failed_step } }: Worker, printer: Printer): string {
  const styles = { healthy: 'green', unhealthy: 'red' } as const;
  const style = styles[state as keyof typeof styles] ?? 'dim';
  return printer.style(style, state) + (failed_step === null ? '' : ` (${failed_step})`);
}

export function addressOf({ http, mcp }: Worker): string {
  return (http ?? mcp)?.uri ?? '';
}

/** The steps of a call, as far as they were taken. */
function printSteps({ steps }: WorkerStatus, printer: Printer): void {
  for (const { step, ok, detail } of steps) {
    const mark = ok ? printer.style('green', 'ok    ') : printer.style('red', 'failed');
    printer.line(`  ${mark}  ${step.padEnd(16)}  ${detail}`.trimEnd());
  }
}

export function printServer(one: Worker, printer: Printer): void {
  printer.line(`${printer.style('bold', one.id)}  ${stateOf(one, printer)}`);
  printer.line(`  ${one.type}  ${addressOf(one)}`);
  const { steps, message } = one.status;
  if (!steps.some(({ ok, detail }) => !ok && detail === message)) printer.line(`  ${message}`);
  printSteps(one.status, printer);
  if (one.status.quarantined_count > 0) {
    printer.line(`  ${one.status.quarantined_count} tools are held back, as their definitions changed`);
  }
}
