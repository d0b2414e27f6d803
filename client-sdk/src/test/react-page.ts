/** What the test of the React bindings runs in the page: components that count their renders. */
import { createElement, StrictMode, useState } from "react"
import type { ReactElement, ReactNode } from "react"
import { createRoot } from "react-dom/client"
import type { Root } from "react-dom/client"
import { createClient } from "../index.ts"
import type { AutomergeDocument, Client, YjsDocument } from "../index.ts"
import { CausewayProvider, useConflicts, useDocument, usePending } from "../react/index.ts"
import { useConnection, usePresence, useSnapshot, useStatus, useText } from "../react/index.ts"

type Plan = { title?: string; other?: number }

const renders: Record<string, number> = {}
/** Every handle that was shown, in order. */
const handles: (YjsDocument | AutomergeDocument<Plan>)[] = []
const closed = new Set<unknown>()

function counted(name: string): void {
  renders[name] = (renders[name] ?? 0) + 1
}

function shown(handle: (typeof handles)[number] | undefined): void {
  if (handle === undefined || handles.includes(handle)) return
  handles.push(handle)
  void handle.closed.then(() => closed.add(handle))
}

function line(id: string, value: unknown): ReactElement {
  return createElement("p", { id, key: id }, JSON.stringify(value) ?? "undefined")
}

const parts: Record<string, () => ReactNode> = {
  note() {
    const note = useDocument("yjs", "notes")
    shown(note)
    counted("note")
    return line("text", useText(note, "body"))
  },
  twin() {
    shown(useDocument("yjs", "notes"))
    return line("twin", "here")
  },
  saved() {
    const note = useDocument("yjs", "notes")
    const isSaved = useStatus(note, ({ savedTo }) => savedTo !== "memory" && savedTo !== "local")
    counted("saved")
    return line("saved", isSaved)
  },
  words() {
    const note = useDocument("yjs", "notes")
    const words = useSnapshot(note, (ydoc) =>
      ydoc.getText("body").toString().split(" ").slice(0, 2),
    )
    counted("words")
    return line("words", words)
  },
  people() {
    const note = useDocument("yjs", "notes")
    const others = usePresence(note, { name: "page" })
    counted("people")
    return line(
      "people",
      others.map(({ state }) => state["name"]),
    )
  },
  client() {
    const state = useConnection((connection) => connection.state)
    counted("client")
    return line("client", [state, usePending((pending) => pending.count > 0)])
  },
  plan() {
    const plan = useDocument<Plan>("automerge", "plan")
    shown(plan)
    const title = useSnapshot(plan, (doc) => doc.title ?? "")
    counted("plan")
    return [line("title", title), line("whole", useSnapshot(plan)), conflictsLine(plan)]
  },
  title() {
    const title = useSnapshot(useDocument<Plan>("automerge", "plan"), (doc) => doc.title)
    counted("title")
    return line("only", title)
  },
}

function conflictsLine(plan: AutomergeDocument<Plan> | undefined): ReactElement {
  const conflicts = useConflicts(plan)
  return line(
    "conflicts",
    conflicts.map(({ path }) => path.join("/")),
  )
}

let client: Client | undefined
let root: Root | undefined

function App({ names }: { readonly names: readonly string[] }): ReactNode {
  const [step, setStep] = useState(0)
  again = () => setStep(step + 1)
  return createElement(
    CausewayProvider,
    { client },
    names.map((name) => createElement(parts[name] ?? "b", { key: name })),
  )
}

let again = (): void => undefined

const page = {
  open(sync: string) {
    client = createClient({ urls: [sync] })
  },
  render(names: readonly string[], strict: boolean) {
    root ??= createRoot(document.body.appendChild(document.createElement("main")))
    const app = createElement(App, { names })
    root.render(strict ? createElement(StrictMode, null, app) : app)
  },
  again: () => again(),
  leave() {
    root?.unmount()
    root = undefined
  },
  text: (id: string) => document.getElementById(id)?.textContent ?? "nothing",
  renders: () => ({ ...renders }),
  /** How many handles were shown so far, and how many of them are closed. */
  handles: () => [handles.length, closed.size],
  closeHandle: () => handles.at(-1)?.close(),
  type(text: string) {
    const [note] = handles
    if (note !== undefined && "ydoc" in note) note.ydoc.getText("body").insert(0, text)
  },
  close: () => client?.close(),
}

export type ReactPage = typeof page

Object.assign(globalThis, { page })
