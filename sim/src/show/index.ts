/** `show`: a run recorded, and the page it makes. */
export { PAGE_BYTES_MAX, renderPage } from "./page.ts"
export type { Page } from "./page.ts"
export { recordRun, startRecording } from "./record.ts"
