"""A made-up county that answers as the departments would, with known truth."""
