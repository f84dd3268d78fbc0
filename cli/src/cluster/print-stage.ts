import type { Printer } from '../output/printer.ts';
import type { Stage } from './verify.ts';

const signs = { passed: '✓', failed: '✗', skipped: '-' } as const;
const styles = { passed: 'green', failed: 'red', skipped: 'dim' } as const;

export function printStage(printer: Printer, { stage, outcome, said, hint, logs = [] }: Stage): void {
  const sign = printer.style(styles[outcome], signs[outcome]);
  printer.line(`  ${sign} ${stage.padEnd(9)} ${said}`);
  if (hint !== undefined && hint !== '' && outcome !== 'passed') printer.line(`      ${hint}`);
  for (const line of logs) printer.line(`      ${printer.style('dim', `| ${line}`)}`);
}
