/**
 * Marks a slow service: a model, a tracker, a password hash. A room refuses, at compile time, work that needs one, so that no
 * database connection is held during slow work. Write `declare readonly outside: Outside["outside"]` in the service's class.
 */
export interface Outside {
  readonly outside: "answers take longer than a transaction may be open"
}
