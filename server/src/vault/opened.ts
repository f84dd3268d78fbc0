import { Fault } from '#foundation';
import type { Vault } from './contract.ts';

/** What was sealed for a row that must open; `row` names it in the Fault of one that was changed, or comes from elsewhere. */
export async function opened<Payload>(
  vault: Pick<Vault, 'open'>,
  {
    purpose,
    sealed,
    boundTo,
  }: { readonly purpose: string; readonly sealed: string; readonly boundTo: string },
  row: string,
): Promise<Payload> {
  const payload = await vault.open(purpose, sealed, boundTo);
  if (payload !== null) return payload as Payload;
  throw new Fault(
    `${row} does not open: it was changed in the database, or comes from elsewhere. Restore it from a backup, or remove the row`,
  );
}
