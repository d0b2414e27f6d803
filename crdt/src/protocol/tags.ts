/** First bytes of messages. Numbers are never reused; retired ones stay as `retired<number>`. */
export const nativeTags = {
  hello: 1,
  welcome: 2,
  open: 3,
  opened: 4,
  update: 5,
  ack: 6,
  reject: 7,
  updates: 8,
  presence: 9,
  closeDocument: 10,
  ping: 11,
  pong: 12,
  documentPresence: 13,
  documentClosed: 14,
  freshness: 15,
  wantTier: 16,
  tierStatus: 17,
  logged: 18,
} as const

export const linkTags = {
  hello: 1,
  entries: 2,
  vector: 3,
  want: 4,
  presence: 5,
  ping: 6,
  pong: 7,
} as const
