import { detectors } from './detectors/detectors.ts';
import { joined, type Span } from './json/edits.ts';

/** Where a text holds personal data or a secret of a kind that detectors know; in order and apart. */
export function privatePieces(text: string): readonly Span[] {
  return joined(Object.values(detectors).flatMap((detector) => [...detector.find(text, '')]));
}
