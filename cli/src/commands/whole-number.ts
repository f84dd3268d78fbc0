import { InvalidArgumentError } from 'commander';

/** Reads the value of an option: a whole number in these bounds. */
export const wholeNumber =
  (least: number, most: number) =>
  (given: string): number => {
    const number = /^\d{1,7}$/.test(given) ? Number(given) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };

/** A time to wait for something: up to a day. */
export const seconds = wholeNumber(1, 86_400);
