/**
 * Each item with what `call` makes of it; the next call is made before the answer is waited for, so that an engine goes
 * from one to the next without a break.
 */
export async function* oneAhead<T, R>(
  items: AsyncIterable<T>,
  call: (item: T) => Promise<R>,
): AsyncGenerator<readonly [T, R]> {
  let before: { readonly item: T; readonly answer: Promise<R> } | undefined;
  for await (const item of items) {
    const answer = call(item);
    answer.catch(() => {}); // a failure counts when it is waited for
    if (before !== undefined) yield [before.item, await before.answer];
    before = { item, answer };
  }
  if (before !== undefined) yield [before.item, await before.answer];
}
