/** One item: ticked, edited, removed; and settled, if it was changed apart. */
import type { Conflict } from "@causeway/client"
import { useRef, useState } from "react"
import type { ReactElement } from "react"
import { removeItem, renameItem, tickItem } from "./todos.ts"
import type { Item, TodoList } from "./todos.ts"

type RowProps = {
  readonly list: TodoList
  readonly id: string
  readonly item: Item
  readonly conflicts: readonly Conflict[]
  readonly authorOf: (actor: string) => string
}

export function Row({ list, id, item, conflicts, authorOf }: RowProps): ReactElement {
  const [isEdited, setEdited] = useState(false)
  const edit = useRef<HTMLButtonElement>(null)
  const remove = (): void => {
    void removeItem(list, id)
    // The button is gone then, and the keyboard should not start at the top of the page.
    document.querySelector<HTMLElement>(".add input")?.focus()
  }
  const finish = (text: string | undefined): void => {
    if (text !== undefined && text !== item.text) void renameItem(list, id, text)
    setEdited(false)
    // As above: the field is gone.
    setTimeout(() => edit.current?.focus())
  }
  return (
    <li className={conflicts.length > 0 ? "item disputed" : "item"}>
      {isEdited ? (
        <Editor text={item.text} onDone={finish} />
      ) : (
        <>
          <label>
            <input
              type="checkbox"
              checked={item.done}
              onChange={(event) => void tickItem(list, id, event.target.checked)}
            />
            <span className={item.done ? "done" : ""}>{item.text}</span>
          </label>
          <button
            ref={edit}
            type="button"
            aria-label={`Edit ${item.text}`}
            onClick={() => setEdited(true)}
          >
            Edit
          </button>
          <button type="button" aria-label={`Remove ${item.text}`} onClick={remove}>
            Remove
          </button>
        </>
      )}
      {conflicts.map((conflict) => (
        <Dispute
          key={conflict.path.join("/")}
          list={list}
          conflict={conflict}
          authorOf={authorOf}
        />
      ))}
    </li>
  )
}

type EditorProps = {
  readonly text: string
  readonly onDone: (text: string | undefined) => void
}

function Editor({ text, onDone }: EditorProps): ReactElement {
  const [draft, setDraft] = useState(text)
  return (
    <form
      className="editor"
      onSubmit={(event) => {
        event.preventDefault()
        onDone(draft.trim() === "" ? undefined : draft.trim())
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onDone(undefined)
      }}
    >
      <input
        ref={(field) => field?.focus()}
        aria-label={`New text for ${text}`}
        maxLength={200}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
      />
      <button type="submit">Save</button>
      <button type="button" onClick={() => onDone(undefined)}>
        Cancel
      </button>
    </form>
  )
}

type DisputeProps = Pick<RowProps, "list" | "authorOf"> & { readonly conflict: Conflict }

function Dispute({ list, conflict, authorOf }: DisputeProps): ReactElement {
  return (
    <div className="dispute" role="group" aria-label="Changed in two places at once">
      <p>Changed in two places at once. Keep which?</p>
      {conflict.values.map(({ value, actor, operation }) => (
        <button
          key={operation}
          type="button"
          className="choice"
          onClick={() => list.resolve(conflict.path, value)}
        >
          <b>{wordsFor(value)}</b> <small>{authorOf(actor)}</small>
        </button>
      ))}
    </div>
  )
}

function wordsFor(value: unknown): string {
  if (value === true) return "done"
  return value === false ? "not done" : String(value)
}
