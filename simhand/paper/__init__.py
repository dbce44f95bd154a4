"""The paper's experiments: which runs its tables compare, and which errors it publishes."""
