/** Whether an id, or an OAuth client id, is that of a service account: nothing else is named so. */
export function isServiceAccountId(id: string): boolean {
  return id.startsWith('svc_');
}
