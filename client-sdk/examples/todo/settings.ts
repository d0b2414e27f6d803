/** What the page is told in its address, and the name it keeps for itself. */
/** Built in by `serve.ts`, with spaces between. */
declare const NODES: string

const query = new URLSearchParams(location.search)
const asked = query.getAll("node")

export const nodes: readonly string[] = asked.length > 0 ? asked : NODES.split(" ")
export const listName: string = query.get("list") ?? "to-do"

const nameKey = "causeway-todo-name"
const animals = ["Otter", "Heron", "Badger", "Lynx", "Puffin", "Marten", "Curlew", "Hare"]

function nameOf(): string {
  const kept = query.get("name") ?? localStorage.getItem(nameKey)
  const name = kept ?? animals[Date.now() % animals.length] ?? "Somebody"
  localStorage.setItem(nameKey, name)
  return name
}

export const ownName: string = nameOf()
