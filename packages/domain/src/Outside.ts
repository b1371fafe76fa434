/**
 * Marks a port whose answer we wait for: a model, a tracker, a password hash. A room refuses, at compile time, work that needs
 * one: no database connection is ever held while something slow happens. Write `declare readonly outside: Outside["outside"]`
 * in the port's class.
 */
export interface Outside {
  readonly outside: "answers take longer than a transaction may be open"
}
