"""Algorithms that methods share: k-center, quotas, exact sizes of compressed text."""
