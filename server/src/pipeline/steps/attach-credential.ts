import type { Credentials } from '#credentials';
import type { Refusal } from '#domain';
import { ok, type Result } from '#foundation';
import type { Credentialed, InputScreened } from '../call.ts';

/** What the tool needs to act as the user; or the refusal that says what is missing. */
export async function attachCredential(
  screened: InputScreened,
  credentials: Credentials,
): Promise<Result<Credentialed, Refusal>> {
  const { caller, shown, admission } = screened;
  const credential = await credentials.attach({
    caller,
    tool: shown.tool,
    gateway: screened.gateway?.slug ?? null,
    given: admission.secrets,
  });
  if (!credential.ok) return credential;
  return ok({ ...screened, credential: credential.value });
}
