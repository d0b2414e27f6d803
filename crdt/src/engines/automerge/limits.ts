/**
 * What an Automerge update may ask of us, beyond its size in bytes (bounded by the frame limit).
 * Its format packs runs and deflates on top: 400 KB can unfold to 400 MB, 100 bytes to 2^53
 * operations. Past a limit the update is refused as `invalid-update`.
 */
const MiB = 1024 * 1024

/** A deflated change, or one deflated column of a document, unfolded. */
export const inflatedBytesMax = 32 * MiB

/** Operations in one change. Deleting a text takes one for each character, in few bytes. */
export const changeRowsMax = 2 ** 20

/** Operations, or changes, in one document chunk. */
export const documentRowsMax = 2 ** 24

/** Columns in one chunk; Automerge 3.5 knows fewer than 20. */
export const columnsMax = 256

/** Changes with more operations are checked in a document, where an operation costs a tenth. */
export const decodedRowsMax = 2 ** 12
