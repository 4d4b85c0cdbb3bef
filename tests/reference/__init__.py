"""A second reading of the rules, independent of sql/: plain Python over one household, and a generator to compare them.

What is told (``told``) goes through ``household``, ``income``, ``property``, ``figures``, ``declaration``, ``review``
and ``decisive`` to what is found (``found``). Each function names the rule it reads. Nothing here was written from
sql/; docs/decisions says how a rule with two readings is read.
"""
