import { findChallenge } from "./Challenge.ts"

// Before the router reads the address.
findChallenge()
