export const MAX_SCORE = 100

/** Stretches scores so that the best has 100. */
export function normalize(scores: number[]): void {
  const best = Math.max(...scores)
  if (best > 0) for (const [index, score] of scores.entries()) scores[index] = Math.floor((MAX_SCORE * score) / best)
}

/** Turns counts of what speaks against a node into scores: none gives 100, the most gives 0. */
export function normalizeReversed(counts: number[]): void {
  normalize(counts)
  for (const [index, count] of counts.entries()) counts[index] = MAX_SCORE - count
}
