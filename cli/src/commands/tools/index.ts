import type { Command } from 'commander';
import type { Act } from '../command.ts';
import { addCall } from './call.ts';
import { addList } from './list.ts';

/** `sallyport tools …` */
export function addTools(program: Command, act: Act): void {
  const tools = program.command('tools').description('tools of a Sallyport, or of one gateway');
  addList(tools, act);
  addCall(tools, act);
}
