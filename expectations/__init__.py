"""Great Expectations suites: one per dataset and one per product."""
