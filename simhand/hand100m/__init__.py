"""The released Hand100M annotations, in and out: their hands and pairs as a pool, and a pool as such annotations."""
