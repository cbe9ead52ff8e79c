// The score interval of Wilson: how sure a share is that was counted in a few cases. The command line has the same.

const Z = 1.959963984540054; // the normal distribution's quantile of 97.5 %: the interval holds in 95 % of all samples

/** Returns the least and the largest true share that are likely when `part` of `whole` cases were counted. */
export function wilson(part: number, whole: number): readonly [low: number, high: number] {
  if (whole === 0) return [0, 1];
  const share = part / whole;
  const added = (Z * Z) / whole;
  const middle = share + added / 2;
  const spread = Math.sqrt(added * (share * (1 - share) + added / 4));
  const low = part === 0 ? 0 : (middle - spread) / (1 + added); // exact at both ends, where rounding leaves a trace
  const high = part === whole ? 1 : (middle + spread) / (1 + added);
  return [low, high];
}
