/** How often something random is tried: `few` times in `npm test`, `many` times in `npm run test:long`. */
export function tries({ few, many }: { readonly few: number; readonly many: number }): number {
  return process.env.ALEXNET_TESTS === "long" ? many : few;
}
