/** The revisions with an `initialize` handshake, the newest first. */
export const legacyVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;
export type LegacyVersion = (typeof legacyVersions)[number];

export function isLegacyVersion(version: unknown): version is LegacyVersion {
  return legacyVersions.includes(version as LegacyVersion);
}

/** What a client that sends no version header speaks (2025-06-18, "Protocol Version Header"). */
export const assumedVersion: LegacyVersion = '2025-03-26';
