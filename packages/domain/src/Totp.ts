// Time-based one-time codes (RFC 6238): which codes are taken when, and how often may be guessed. What a code is, from a secret and a step,
// is a port's (`OneTimeCodes` of the engine). Times are seconds since 1970 on the database's clock, which all processes share.

/** RFC 6238 §5.2, and what authenticators assume where nothing is said. */
export const PERIOD_SECONDS = 30
export const DIGITS = 6

/** Steps before and after the current one whose code is taken: for a clock that is off, and for typing (RFC 6238 §6). */
const AROUND = 1

/** The number of the time step. */
export const stepAt = (seconds: number): number => Math.floor(seconds / PERIOD_SECONDS)

/**
 * The steps whose codes are taken now, the likeliest first. `last`: that of the last code that was taken. A code is taken once, and none
 * of an earlier step after it (RFC 6238 §5.2).
 */
export const stepsAt = (seconds: number, last: number): ReadonlyArray<number> =>
  [0, -AROUND, AROUND].map((off) => stepAt(seconds) + off).filter((step) => step > last)

/**
 * Wrong codes an account may give at once; as many leak away in a window. Of a million codes three are right at any time, so that a year
 * of guessing finds one in a fifth of all cases without {@link MOST_FAILURES}, and with it in one of 3,300.
 */
export const TRIES = 10
export const WINDOW_SECONDS = 900

/**
 * Wrong codes in a row after which no code is taken any more, until another factor has proved who it is (NIST SP 800-63B-4 §3.2.2: at most
 * 100).
 */
export const MOST_FAILURES = 100

const EACH_SECONDS = WINDOW_SECONDS / TRIES

/**
 * Seconds until a code may be tried; 0: now. `filled`: seconds until all tries are there again, of a time that may have stepped: more than
 * a window counts as one.
 */
export const waitSeconds = (filled: number): number => Math.max(0, within(filled) + EACH_SECONDS - WINDOW_SECONDS)

/** Seconds until all tries are there again, after one more wrong code. */
export const filledBy = (filled: number): number => within(filled) + EACH_SECONDS

const within = (filled: number): number => Math.min(Math.max(filled, 0), WINDOW_SECONDS)

/**
 * The address that an authenticator reads as a QR code: the Key URI format, as Google Authenticator defined it. `issuer` and `account` are
 * what it shows.
 */
export const keyUri = (of: { readonly secret: string; readonly issuer: string; readonly account: string }): string => {
  const label = `${encodeURIComponent(of.issuer)}:${encodeURIComponent(of.account)}`
  const parameters = `secret=${of.secret}&issuer=${encodeURIComponent(of.issuer)}&algorithm=SHA1&digits=${DIGITS}&period=${PERIOD_SECONDS}`
  return `otpauth://totp/${label}?${parameters}`
}
