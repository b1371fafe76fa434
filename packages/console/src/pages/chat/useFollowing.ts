import { useCallback, useEffect, useRef, useState } from "react"

/** Pixels from the end within which the reader is at the end. */
const NEAR = 40

/**
 * Keeps the end of what `scroller` shows in view while it grows, for as long as the reader is there: whoever scrolls up stays where they are.
 * `grew` is told of each change of its size.
 */
export const useFollowing = (grew: (scroller: HTMLElement) => void) => {
  const scroller = useRef<HTMLDivElement>(null)
  const [following, setFollowing] = useState(true)
  const isFollowing = useRef(true)
  const told = useRef(grew)
  useEffect(() => {
    told.current = grew
  })

  const become = useCallback((next: boolean) => {
    isFollowing.current = next
    setFollowing(next)
  }, [])

  /** The reader is led elsewhere than to the end. */
  const stay = useCallback(() => become(false), [become])

  const toEnd = useCallback(() => {
    become(true)
    const element = scroller.current
    if (element !== null) element.scrollTop = element.scrollHeight
  }, [become])

  useEffect(() => {
    const element = scroller.current
    const content = element?.firstElementChild
    if (element === null || element === undefined || content === null || content === undefined) return
    let last = element.scrollTop
    const pin = () => {
      if (isFollowing.current) {
        element.scrollTop = element.scrollHeight
        last = element.scrollTop
      }
      told.current(element)
    }
    const scrolled = () => {
      const top = element.scrollTop
      const left = element.scrollHeight - top - element.clientHeight
      // Where the content shrank, the browser moves it, and the reader is still at its end.
      if (top < last - 1 && left > 2) become(false)
      else if (top > last && left <= NEAR) become(true)
      last = top
    }
    const turned = (event: WheelEvent) => {
      if (event.deltaY < 0 && element.scrollHeight > element.clientHeight) become(false)
    }
    const sizes = new ResizeObserver(pin)
    sizes.observe(content)
    sizes.observe(element)
    element.addEventListener("scroll", scrolled, { passive: true })
    element.addEventListener("wheel", turned, { passive: true })
    return () => {
      sizes.disconnect()
      element.removeEventListener("scroll", scrolled)
      element.removeEventListener("wheel", turned)
    }
  }, [become])

  return { following, scroller, stay, toEnd }
}
