"""Verified annotations to a benchmark that can be published, compared and built again."""
