/** What a command that reads a document is answered. */
import type { TaskDone } from "./documents.ts"
import type { Reply } from "./input.ts"

export function replyOf(done: TaskDone): Reply {
  if (done.type === "unreadable") {
    const { code, message } = done
    return { type: "failed", code, message }
  }
  if (done.isEmpty) return { type: "no-such-document" }
  if (done.result.type === "json") return { type: "document", json: done.result.json }
  const message = done.result.type === "failed" ? done.result.message : "not JSON"
  return { type: "failed", code: "read-failed", message }
}
