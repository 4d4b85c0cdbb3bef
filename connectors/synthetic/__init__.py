"""A made-up county with known truth, and the servers that answer as its departments would."""

from connectors.synthetic.county import CountySummary, generate

__all__ = ["CountySummary", "generate"]
