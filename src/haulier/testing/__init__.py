"""Public conformance suites: what a family, a dialect or a store must hold to."""
