const prefix = 'sallyport-consent:';

/** What a client brings back after its user was sent to consent, in place of a source's own state. */
export const stateOfConsent = (...ids: readonly string[]): string => prefix + ids.join(',');
export const isConsentState = (state: string | null): state is string => state?.startsWith(prefix) === true;
/** The ids of the consents, in the order in which they were asked for. */
export const consentIdsOf = (state: string): readonly string[] => state.slice(prefix.length).split(',');
