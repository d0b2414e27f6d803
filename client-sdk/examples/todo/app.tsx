/** The to-do list: what is in it, who is here, and where it is saved. */
import type { RejectedUpdate } from "@causeway/client"
import { useClient, useConflicts, useDocument } from "@causeway/client/react"
import { usePresence, useSnapshot } from "@causeway/client/react"
import { useEffect, useState } from "react"
import type { ReactElement } from "react"
import { Row } from "./row.tsx"
import { ownName, query } from "../settings.ts"
import { StatusBar } from "./status.tsx"
import { addItem, conflictsOf, inOrder } from "./todos.ts"
import type { TodoList, Todos } from "./todos.ts"

const listName = query.get("list") ?? "to-do"

export function App(): ReactElement {
  const list = useDocument<Todos>("automerge", listName)
  const todos = useSnapshot(list)
  const conflicts = useConflicts(list)
  // Conflicts know who wrote what by actor, so everybody says which actor they are.
  const actor = todos === undefined ? undefined : list?.actor
  const others = usePresence(list, actor === undefined ? null : { name: ownName, actor })
  const names = new Map(others.map(({ state }) => [state["actor"], nameIn(state)]))
  if (list === undefined || todos === undefined) return <p className="hint">Opening …</p>
  const items = inOrder(todos)
  const left = items.filter(([, { done }]) => !done).length
  return (
    <main>
      <header>
        <h1>To-do</h1>
        <People names={[...names.values()]} />
      </header>
      <StatusBar list={list} />
      <Rejections list={list} />
      <AddItem list={list} />
      {items.length === 0 ? (
        <p className="hint">Nothing to do. Add something, or open this page in another window.</p>
      ) : (
        <>
          <ul className="items" aria-label="Items">
            {items.map(([id, item]) => (
              <Row
                key={id}
                list={list}
                id={id}
                item={item}
                conflicts={conflictsOf(conflicts, id)}
                authorOf={(author) => (author === actor ? "yours" : whose(names.get(author)))}
              />
            ))}
          </ul>
          <p className="hint" role="status">
            {left === 0 ? "All done" : `${left} of ${items.length} to do`}
          </p>
        </>
      )}
    </main>
  )
}

/** What others say is theirs to say: nothing of it is trusted to be what we would say. */
function nameIn({ name }: { readonly [key: string]: unknown }): string {
  return typeof name === "string" ? name.slice(0, 24) : "Somebody"
}

function whose(name: string | undefined): string {
  return name === undefined ? "somebody’s" : `${name}’s`
}

function People({ names }: { readonly names: readonly string[] }): ReactElement {
  const count = names.length + 1
  return (
    <p className="people" role="status" title={[`${ownName} (you)`, ...names].join(", ")}>
      {count === 1 ? "Only you here" : `${count} people here`}
    </p>
  )
}

function AddItem({ list }: { readonly list: TodoList }): ReactElement {
  const [text, setText] = useState("")
  return (
    <form
      className="add"
      onSubmit={(event) => {
        event.preventDefault()
        if (text.trim() === "") return
        void addItem(list, text.trim())
        setText("")
      }}
    >
      <input
        aria-label="New item"
        placeholder="What needs doing?"
        maxLength={200}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit">Add</button>
    </form>
  )
}

/** Nothing is dropped silently: what a node refuses stays until somebody has seen it. */
function Rejections({ list }: { readonly list: TodoList }): ReactElement | null {
  const client = useClient()
  const [rejected, setRejected] = useState<readonly RejectedUpdate[]>([])
  useEffect(() => {
    return client?.onRejected((update) => setRejected((others) => [...others, update]))
  }, [client])
  const [first] = rejected
  if (first === undefined) return null
  const reopen = (): void => {
    for (const update of rejected) update.dismiss()
    setRejected([])
    // The hook follows it with a fresh handle, which has what the server has.
    list.close()
  }
  return (
    <p className="problem" role="alert">
      A server refused a change ({first.reason}). What you changed since is here alone.{" "}
      <button type="button" onClick={reopen}>
        Open the list again
      </button>
    </p>
  )
}
