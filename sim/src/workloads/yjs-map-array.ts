/**
 * A board of columns and cards in nested maps and arrays. Cards move by being taken out and put in
 * again, and whole columns go while others still edit the cards in them.
 */
import * as Y from "yjs"
import type { SimRandom } from "../random.ts"
import { numbered } from "./documents.ts"
import type { Workload } from "./workload.ts"

const COLUMNS_MAX = 6
const CARDS_MAX = 12
const TAGS_MAX = 6

type Card = Y.Map<unknown>
type Column = Y.Array<Card>

export const yjsMapArray: Workload = {
  name: "yjs-map-array",
  explain: "people work on boards of nested Yjs maps and arrays: cards move, columns are deleted",
  weight: 4,
  documents(random) {
    const count = random.int(1, 3)
    return { documents: numbered("yjs", "board", count), documentsPerClient: random.int(1, count) }
  },
  editYjs(doc, random, token) {
    const board = doc.getArray<Column>("board")
    doc.getMap("edited").set(`by ${random.int(0, 5)}`, token)
    const kind = random.int(0, 19)
    if (board.length === 0 || (kind === 0 && board.length < COLUMNS_MAX)) {
      return board.insert(random.int(0, board.length), [new Y.Array<Card>()])
    }
    if (kind === 1) return board.delete(random.int(0, board.length - 1), 1)
    const column = board.get(random.int(0, board.length - 1))
    if (column.length === 0 || (kind <= 6 && column.length < CARDS_MAX)) {
      return column.insert(random.int(0, column.length), [newCard(token)])
    }
    const at = random.int(0, column.length - 1)
    if (kind <= 10) return move(board, column, at, random)
    if (kind === 11) return column.delete(at, 1)
    editCard(column.get(at), random, token)
  },
}

function newCard(title: string): Card {
  const card: Card = new Y.Map()
  card.set("title", title)
  card.set("tags", new Y.Array<string>())
  return card
}

/** Two who move one card at once make two of it: Yjs has no move. */
function move(board: Y.Array<Column>, from: Column, at: number, random: SimRandom): void {
  const card = from.get(at).clone()
  from.delete(at, 1)
  const to = board.get(random.int(0, board.length - 1))
  to.insert(random.int(0, to.length), [card])
}

function editCard(card: Card, random: SimRandom, token: string): void {
  const tags = card.get("tags")
  if (random.chance(0.4) || !(tags instanceof Y.Array)) {
    card.set(random.chance(0.5) ? "title" : "done", token)
  } else if (random.chance(0.1)) card.set("tags", new Y.Array<string>())
  else if (tags.length >= TAGS_MAX) tags.delete(random.int(0, tags.length - 1), 1)
  else tags.insert(random.int(0, tags.length), [token])
}
