const prefix = 'sallyport-consent:';

/** What a client brings back after its user was sent to consent, in place of a source's own state. */
export const stateOfConsent = (id: string): string => prefix + id;
export const isConsentState = (state: string | null): state is string => state?.startsWith(prefix) === true;
/** The id of the consent. */
export const consentStateOf = (state: string): string => state.slice(prefix.length);
