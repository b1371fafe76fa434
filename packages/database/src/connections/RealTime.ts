import { Clock, Effect } from "effect"

/** Sockets need the real time, whatever clock the program is given. */
export const realTime = Effect.provideService(Clock.Clock, Clock.Clock.defaultValue())
