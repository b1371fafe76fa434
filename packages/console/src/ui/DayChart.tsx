import { useEffect, useRef } from "react"
import uPlot from "uplot"
import "uplot/dist/uPlot.min.css"
import "./dayChart.css"

interface Props {
  /** In words, for those who do not see it: a table with the same numbers stands beside it. */
  readonly label: string
  /** Days in UTC, in order. */
  readonly days: ReadonlyArray<string>
  /** A bar for each day. */
  readonly bars: ReadonlyArray<number>
  /** A point of the dashed line for each day; null: no day to compare with. */
  readonly line: ReadonlyArray<number | null>
  readonly axis: (value: number) => string
  /** The day that is pointed at; null: none. Keep it the same between renderings. */
  readonly onPoint: (at: number | null) => void
}

const HEIGHT_PX = 260
const DAY_SECONDS = 86_400
const dayAndMonth = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" })

/** Numbers by day on a canvas, in the colours of the theme. */
const DayChart = ({ axis, bars, days, label, line, onPoint }: Props) => {
  const frame = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = frame.current
    if (element === null) return undefined
    const colour = (of: "accent" | "soft" | "line") => colourOf(element, of)
    const chart = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT_PX,
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
        scales: {
          x: {
            time: true,
            range: (_, first, last) => [(first ?? 0) - DAY_SECONDS / 2, (last ?? 0) + DAY_SECONDS / 2]
          },
          // Never a scale of nothing, and always from zero: a bar's length is its number.
          y: { range: (_, least, most) => [Math.min(0, least ?? 0), (most ?? 0) <= 0 ? 1 : (most ?? 0) * 1.05] }
        },
        axes: [
          {
            stroke: () => colour("soft"),
            grid: { show: false },
            ticks: { show: false },
            // Whole days, also where there are few.
            incrs: [1, 2, 7, 14, 28, 61, 122].map((step) => step * DAY_SECONDS),
            values: (_, splits) => splits.map((second) => dayAndMonth.format(new Date(second * 1000)))
          },
          {
            stroke: () => colour("soft"),
            grid: { stroke: () => colour("line"), width: 1 },
            ticks: { show: false },
            size: 64,
            values: (_, splits) => splits.map(axis)
          }
        ],
        series: [
          {},
          {
            fill: () => colour("accent"),
            stroke: () => colour("accent"),
            width: 0,
            paths: uPlot.paths.bars?.({ size: [0.7, 48], radius: 0.15 }) ?? (() => null),
            points: { show: false }
          },
          { stroke: () => colour("soft"), width: 1.5, dash: [4, 4], points: { show: false } }
        ],
        tzDate: (second) => uPlot.tzDate(new Date(second * 1000), "Etc/UTC"),
        hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] }
      },
      [days.map((day) => Date.parse(`${day}T00:00:00Z`) / 1000), [...bars], [...line]],
      element
    )
    const sizes = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT_PX }))
    sizes.observe(element)
    // With its paths: each keeps the colour that it was made with.
    const redraw = () => chart.redraw()
    const system = matchMedia("(prefers-color-scheme: dark)")
    system.addEventListener("change", redraw)
    const theme = new MutationObserver(redraw)
    theme.observe(document.documentElement, { attributeFilter: ["data-theme"] })
    return () => {
      sizes.disconnect()
      theme.disconnect()
      system.removeEventListener("change", redraw)
      chart.destroy()
    }
  }, [axis, bars, days, line, onPoint])
  return (
    <div ref={frame} className="day-chart" role="img" aria-label={label}>
      <span className="day-chart-colour accent" />
      <span className="day-chart-colour soft" />
      <span className="day-chart-colour line" />
    </div>
  )
}

export default DayChart

/** A colour of the theme as a canvas takes it: it knows neither custom properties nor `light-dark()`. */
const colourOf = (frame: HTMLElement, of: string): string => {
  const probe = frame.querySelector(`.day-chart-colour.${of}`)
  return probe === null ? "gray" : getComputedStyle(probe).color
}
