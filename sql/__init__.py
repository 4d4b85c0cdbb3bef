"""Every calculation on households, as SQL files that are readable alone."""
