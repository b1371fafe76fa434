/** Defined by `npm run build`: the program runs without its sources, as in the image. The bundle of `npm start` has them. */
declare const WITHOUT_SOURCES: true

export const withoutSources = typeof WITHOUT_SOURCES !== "undefined"

/** What a command's line begins with, before its name. */
export const PROGRAM = withoutSources ? "node cli.js" : "npm run"

/** The name of a command of `cli.ts`, from its name among the scripts of package.json. */
export const named = (script: string): string => (withoutSources ? script.replace(/^db:/u, "") : script)

/** The command line of a command of `cli.ts`: npm needs `--` before options. */
export const command = (script: string, args = ""): string =>
  [
    PROGRAM,
    named(script),
    ...(!withoutSources && args.includes("--") ? ["--"] : []),
    ...(args === "" ? [] : [args])
  ].join(" ")
