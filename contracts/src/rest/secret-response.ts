/** What an answer says of a secret: that there is one. `value` is always empty. */
export interface SecretResponse {
  exists: boolean;
  editable: boolean;
  value: '';
  binding: 'static' | 'project';
}
