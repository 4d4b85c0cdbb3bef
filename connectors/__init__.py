"""How the outside is reached: contracts, the ways to departments, and the case systems."""
