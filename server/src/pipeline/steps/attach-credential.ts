import type { Credentials } from '#credentials';
import type { Credential, Refusal } from '#domain';
import { type MaybePromise, ok, type Result } from '#foundation';
import type { Carried } from '#policy';
import type { Consented, Credentialed, InputScreened } from '../call.ts';
import { carriedOf } from './carried.ts';

/** What the tool needs to act as the user; or the refusal that says what is missing. */
export function attachCredential(
  screened: InputScreened,
  credentials: Credentials,
): MaybePromise<Result<Credentialed, Refusal>> {
  const goOn = (credential: Result<Credential | null, Refusal>): Result<Credentialed, Refusal> =>
    credential.ok ? ok({ ...screened, credential: credential.value }) : credential;
  const given = credentials.attach({ ...aboutOf(screened), given: screened.admission.secrets });
  return given instanceof Promise ? given.then(goOn) : goOn(given);
}

/** What it would carry, before anybody is asked to consent: for hooks. What is missing, nobody has to know there. */
export async function describeCredential(call: Consented, credentials: Credentials): Promise<Carried> {
  if (call.shown.tool.requirements.authorization === null) return [];
  const credential = await credentials.attach({ ...aboutOf(call), given: givenInPlaceOf(call), peek: true });
  return credential.ok ? carriedOf(credential.value) : [];
}

/** Which credential of whom is meant. */
export function aboutOf({ caller, shown, gateway }: Consented) {
  return { caller, tool: shown.tool, gateway: gateway?.slug ?? null };
}

/** No secret is opened to describe a token. */
function givenInPlaceOf({ shown }: Consented) {
  return (shown.tool.requirements.secrets ?? []).map(({ key }) => ({ key, value: '' }));
}
