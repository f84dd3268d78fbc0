import type { Command } from 'commander';
import type { Act } from '../command.ts';
import { addTail } from './tail.ts';

/** `sallyport audit …` */
export function addAudit(program: Command, act: Act): void {
  const audit = program.command('audit').description('the log book of a Sallyport');
  addTail(audit, act);
}
