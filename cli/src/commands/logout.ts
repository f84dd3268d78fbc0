import { profileName, type RemoteOptions } from '../remote/remote.ts';
import { signOut } from '../remote/sign-in.ts';
import type { AddCommand } from './command.ts';

/** `sallyport logout`: ends the sign-in there, and forgets it here. */
export const addLogout: AddCommand = (program, act) => {
  program
    .command('logout')
    .description('end the sign-in, and forget it')
    .option('--profile <name>', 'one of several sign-ins (SALLYPORT_PROFILE)')
    .action(
      act(async ({ io, printer }, options: RemoteOptions) => {
        const name = profileName(io, options);
        const done = await signOut(io, name);
        printer.value({ profile: name, url: done?.url ?? null, told: done !== null && done.untold === null });
        if (done === null) {
          printer.line(`You are not signed in${name === 'default' ? '' : ` as ${name}`}.`);
          return 'ok';
        }
        printer.line(`Signed out of ${done.url}.`);
        if (done.had === 'key') {
          printer.line('The API key itself stays valid until it is deleted: DELETE /v1/api_keys/{id}.');
        }
        if (done.untold === null) return 'ok';
        printer.progress(`The server could not be told, so there the sign-in goes on: ${done.untold}`);
        return 'problems';
      }),
    );
};
