import type { Command } from 'commander';

/** Which Sallyport a command speaks to: the same options everywhere. */
export function remoteOptions(command: Command): Command {
  return command
    .option('--profile <name>', 'one of several sign-ins (SALLYPORT_PROFILE)')
    .option('--project <org/project>', 'one of several projects (SALLYPORT_PROJECT)')
    .option('--insecure-http', 'send the credential over http to another computer');
}
