import type { Command } from 'commander';
import type { Act } from '../command.ts';
import { addList } from './list.ts';
import { addRefresh } from './refresh.ts';
import { addShow } from './show.ts';

/** `sallyport servers …`: where tools come from, and what works. */
export function addServers(program: Command, act: Act): void {
  const servers = program.command('servers').description('MCP servers and workers that a Sallyport calls');
  addList(servers, act);
  addShow(servers, act);
  addRefresh(servers, act);
}
