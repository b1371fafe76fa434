/** The version of the contract, and of the program. */
export const VERSION = "0.1.0"
