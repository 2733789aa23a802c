"""Scoring: protocols, metrics, uncertainty, blind predictors, comparison and reports; never torch."""
