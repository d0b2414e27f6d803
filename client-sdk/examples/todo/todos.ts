/**
 * The list as a document. Items are keys of its root: were they in a list below it, two people who
 * start it at once would each make a list, and one would be hidden.
 */
import type { AutomergeDocument, Conflict } from "@causeway/client"

export type Item = { text: string; done: boolean; readonly addedAtMs: number }
export type Todos = { [id: string]: Item }
export type TodoList = AutomergeDocument<Todos>

export function addItem(list: TodoList, text: string): Promise<void> {
  return list.change((todos) => {
    todos[crypto.randomUUID()] = { text, done: false, addedAtMs: Date.now() }
  })
}

export function renameItem(list: TodoList, id: string, text: string): Promise<void> {
  return list.change((todos) => {
    const item = todos[id]
    if (item !== undefined) item.text = text
  })
}

export function tickItem(list: TodoList, id: string, done: boolean): Promise<void> {
  return list.change((todos) => {
    const item = todos[id]
    if (item !== undefined) item.done = done
  })
}

export function removeItem(list: TodoList, id: string): Promise<void> {
  return list.change((todos) => {
    delete todos[id]
  })
}

/** Oldest first; what was added at the same moment in the same order everywhere. */
export function inOrder(todos: Todos): readonly (readonly [string, Item])[] {
  return Object.entries(todos).sort(([id, item], [otherId, other]) => {
    return item.addedAtMs - other.addedAtMs || (id < otherId ? -1 : 1)
  })
}

export function conflictsOf(conflicts: readonly Conflict[], id: string): readonly Conflict[] {
  return conflicts.filter(({ path }) => path[0] === id)
}
