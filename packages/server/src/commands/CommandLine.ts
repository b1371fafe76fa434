/** Defined by `npm run build`: the program runs without its sources, as in the image. The bundle of `npm start` has them. */
declare const WITHOUT_SOURCES: true

const withoutSources = typeof WITHOUT_SOURCES !== "undefined"

/** The command line of a command of `cli.ts`, by its name among the scripts of package.json: npm needs `--` before options. */
export const command = (name: string, args = ""): string =>
  [
    withoutSources ? `node cli.js ${name.replace(/^db:/u, "")}` : `npm run ${name}`,
    ...(args === "" ? [] : [withoutSources ? args : args.replace("--", "-- --")])
  ].join(" ")

/** The available commands: some need the sources to write to, and npm names an auditor's beside all the others. */
export const ALL = withoutSources
  ? command("migrate|status|rollback|backup|restore|psql|audit:isolation|audit:grant|audit:revoke")
  : command("db:migrate|status|rollback|backup|restore|new|psql|schema")
