/** What a number of the US social security looks like. */
export const ssnPattern = '\\b\\d{3}-\\d{2}-\\d{4}\\b';
