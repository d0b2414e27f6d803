/**
 * Runs many small asynchronous jobs a few at a time, so that opening thousands of sockets does not
 * overrun the server's accept queue. Order of results is the order of the inputs.
 */

/** `run` over `items`, at most `width` at once; the first failure ends it. */
export async function runPooled<Item, Result>(
  items: readonly Item[],
  width: number,
  run: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const queue = items.entries()
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await run(item, index)
  }
  await Promise.all(Array.from({ length: width }, lane))
  return results
}
