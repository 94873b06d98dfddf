/** "1,2,3", or one number for all three. */
export function readTriple(text: string): [number, number, number] | undefined {
  const numbers = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  const [red, green = red, blue = red] = numbers;
  const whole = (numbers.length === 1 || numbers.length === 3) && numbers.every(Number.isFinite);
  return whole ? [red, green, blue] : undefined;
}
