"""The stages of a batch, in order, and what they stand on."""
