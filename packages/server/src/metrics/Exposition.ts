/** One process's metrics in Prometheus' text format, and the label that distinguishes it. */
export interface Part {
  readonly text: string
  readonly label: string | undefined
}

interface Family {
  readonly about: Array<string>
  readonly samples: Array<string>
}

const ABOUT = /^# (?:HELP|TYPE) (\S+)/u
const SAMPLE = /^([^\s{]+)(?:\{(.*)\})?( [^]*)$/u

/**
 * Merges the texts of several processes: each family once (https://prometheus.io/docs/instrumenting/exposition_formats/), samples
 * labelled.
 */
export const merge = (parts: ReadonlyArray<Part>): string => {
  const families = new Map<string, Family>()
  for (const { label, text } of parts) {
    let family: Family = { about: [], samples: [] }
    const known = new Set(families.keys())
    for (const line of text.split("\n")) {
      const name = ABOUT.exec(line)?.[1]
      if (name !== undefined) {
        family = families.get(name) ?? { about: [], samples: [] }
        families.set(name, family)
        if (!known.has(name)) family.about.push(line)
      } else if (line !== "") family.samples.push(label === undefined ? line : labelled(line, label))
    }
  }
  return [...families.values()].flatMap(({ about, samples }) => [...about, ...samples, ""]).join("\n")
}

const labelled = (line: string, label: string): string => {
  const [, name = line, labels, rest = ""] = SAMPLE.exec(line) ?? []
  return `${name}{${labels === undefined ? "" : `${labels},`}${label}}${rest}`
}
