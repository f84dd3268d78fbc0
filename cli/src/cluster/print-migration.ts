import type { Printer } from '../output/printer.ts';
import type { Missing } from './migrate-cluster.ts';
import { type MigrationPlan, type MigrationStep, migrationSteps, nextStep } from './migration-plan.ts';

/** How far a move is. */
export function printPlan(printer: Printer, plan: MigrationPlan): void {
  const next = nextStep(plan);
  printer.line(printer.style('bold', `${plan.server}: ${plan.from.cluster} → ${plan.to}`));
  for (const { step, what } of migrationSteps) {
    const at = plan.done[step];
    const sign = at !== undefined ? printer.style('green', '✓') : step === next ? '→' : ' ';
    printer.line(`${sign} ${step.padEnd(8)} ${what}${at === undefined ? '' : ` (${at})`}`);
  }
  printer.value({ ...plan, next });
}

/** That a step is done, or what it lacks. */
export function printStep(printer: Printer, step: MigrationStep, missing: Missing | null): void {
  const what = migrationSteps.find((one) => one.step === step)?.what ?? '';
  const sign = missing === null ? printer.style('green', '✓') : printer.style('red', '✗');
  printer.line(`${sign} ${step.padEnd(8)} ${missing === null ? what : missing.said}`);
  for (const line of missing?.advice ?? []) printer.line(`    ${line}`);
}
