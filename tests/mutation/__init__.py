"""Mutants of the judgement: sql/ and the policy code broken in one place each, to see which of the tests notice."""
