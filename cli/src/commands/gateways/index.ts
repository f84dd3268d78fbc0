import type { Command } from 'commander';
import type { Act } from '../command.ts';
import { addList } from './list.ts';
import { addShow } from './show.ts';

/** `sallyport gateways …`: where clients connect. */
export function addGateways(program: Command, act: Act): void {
  const gateways = program.command('gateways').description('gateways of a Sallyport: where clients connect');
  addList(gateways, act);
  addShow(gateways, act);
}
