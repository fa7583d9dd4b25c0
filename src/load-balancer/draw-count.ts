/**
 * With `random`, so many servers are drawn by weight, some of them more than once, and the least
 * busy one is taken. Two are enough to spread load (Mitzenmacher, The Power of Two Choices in
 * Randomized Load Balancing, 2001); but of two servers, one that has just stopped answering would
 * still get every fourth request: of so many draws, every sixteenth.
 */
export const drawCount = 4;
