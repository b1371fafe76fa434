import { useMemo } from "react"
import Markdown, { type Components, type Options } from "react-markdown"
import rehypeHighlight from "rehype-highlight"

type Tree = Parameters<ReturnType<typeof rehypeHighlight>>[0]

const components: Components = { pre: ({ children }) => <>{children}</>, code: ({ children }) => <>{children}</> }

/** The parts of a code in colours. The code is put into the renderer's tree as it is: no fence around it could be closed by what is in it. */
export const ColouredCode = ({ code, language }: { readonly code: string; readonly language: string }) => {
  const plugins = useMemo(
    (): Options["rehypePlugins"] => [
      [() => (tree: Tree) => void tree.children.splice(0, tree.children.length, treeOf(code, language))],
      [rehypeHighlight, { prefix: "hl-" }]
    ],
    [code, language]
  )
  return (
    <Markdown rehypePlugins={plugins} components={components}>
      .
    </Markdown>
  )
}

const treeOf = (code: string, language: string): Tree["children"][number] => ({
  type: "element",
  tagName: "pre",
  properties: {},
  children: [
    {
      type: "element",
      tagName: "code",
      properties: { className: [`language-${language.toLowerCase()}`] },
      children: [{ type: "text", value: code }]
    }
  ]
})
