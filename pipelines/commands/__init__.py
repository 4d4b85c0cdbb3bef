"""The commands of ``hedui``, grouped by what they are for; heavy imports stay inside them."""
