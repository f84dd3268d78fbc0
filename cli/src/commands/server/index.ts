import type { Command } from 'commander';
import type { Act } from '../command.ts';
import { addNew } from './new.ts';

/** `sallyport server …`: MCP servers as source code. */
export function addServer(program: Command, act: Act): void {
  const server = program.command('server').description('source code of MCP servers');
  addNew(server, act);
}
