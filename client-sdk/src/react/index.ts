/** React bindings: documents open while components use them, and values that change with them. */
export { CausewayProvider, useClient } from "./provider.ts"
export type { CausewayProviderProps } from "./provider.ts"
export { useConflicts, useSnapshot, useText } from "./use-content.ts"
export { useDocument } from "./use-document.ts"
export { usePresence } from "./use-presence.ts"
export type { Present } from "./use-presence.ts"
export { useConnection, usePending, useStatus } from "./use-status.ts"
