import type { Command } from 'commander';
import { addAudit } from './audit/index.ts';
import type { Act } from './command.ts';
import { addCompletion } from './completion.ts';
import { addConnect } from './connect.ts';
import { addDeploy } from './deploy/index.ts';
import { addGateways } from './gateways/index.ts';
import { addLogin } from './login.ts';
import { addLogout } from './logout.ts';
import { addRegister } from './register/index.ts';
import { addServer } from './server/index.ts';
import { addServers } from './servers/index.ts';
import { addStatus } from './status.ts';
import { addTools } from './tools/index.ts';

/** Every noun and verb there is; each loads what it needs when it runs. */
export function addCommands(program: Command, act: Act): void {
  addServer(program, act);
  addDeploy(program, act);
  addLogin(program, act);
  addLogout(program, act);
  addStatus(program, act);
  addServers(program, act);
  addGateways(program, act);
  addTools(program, act);
  addAudit(program, act);
  addRegister(program, act);
  addConnect(program, act);
  addCompletion(program, act);
}
