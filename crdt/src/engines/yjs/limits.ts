/**
 * What a Yjs update may ask of us, beyond its size in bytes (bounded by the frame limit). Past a
 * limit the update is refused as `invalid-update`.
 */

/**
 * How deep values may nest inside one operation. Yjs reads and writes values recursively, so its
 * own bound is the caller's stack: past this limit an update could be stored, but not be read.
 */
export const nestingMax = 256

/**
 * The largest clock. Rust ports of Yjs hold clocks in 32 bits, and Yjs' own encoding of pending
 * structs loses precision past 2^52.
 */
export const clockMax = 2 ** 32 - 1

/** Each subdocument costs Yjs a whole Doc object when it is read, for 4 bytes on the wire. */
export const subdocumentsMax = 16_384
