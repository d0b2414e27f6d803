/** What a write makes of a document's copy: the one place that says how generations follow. */
import type { DocumentId } from "../base/index.ts"
import type { StorageWrite, StoredDocument } from "../ports/index.ts"

export type DocumentWrite = Extract<StorageWrite, { readonly document: DocumentId }>

export function afterWrite(
  copy: StoredDocument | undefined,
  write: DocumentWrite,
): StoredDocument | undefined {
  const { type, generation } = write
  if (copy !== undefined && copy.generation > generation) return copy
  switch (type) {
    case "document-remove":
      return undefined
    case "document-replace":
      return { generation, updates: [write.state], resume: write.resume }
    case "document-append": {
      const before = copy?.generation === generation ? copy : undefined
      const updates = [...(before?.updates ?? []), ...write.updates]
      return { generation, updates, resume: write.resume ?? before?.resume }
    }
  }
}
