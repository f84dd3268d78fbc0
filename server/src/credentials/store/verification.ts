import type { Queries, Row } from '#storage';
import type { Verification } from '../flows/contract.ts';

export function verificationQueries(db: Queries) {
  return {
    async verification(projectId: string): Promise<Verification> {
      const [row] = await db.query<Row>('select * from session_verification where project_id = $1', [
        projectId,
      ]);
      return {
        verifierUrl: (row?.verifier_url as string | null | undefined) ?? null,
        unsafeSkipVerification: row?.unsafe_skip_verification === true,
      };
    },

    async saveVerification(projectId: string, given: Verification, nowIso: string): Promise<void> {
      await db.query(
        `insert into session_verification (project_id, verifier_url, unsafe_skip_verification, updated_at)
         values ($1, $2, $3, $4)
         on conflict (project_id) do update set verifier_url = excluded.verifier_url,
           unsafe_skip_verification = excluded.unsafe_skip_verification, updated_at = excluded.updated_at`,
        [projectId, given.verifierUrl, given.unsafeSkipVerification, nowIso],
      );
    },
  };
}
