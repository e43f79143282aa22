"""Correlation: what facts mean together and over time, between matcher and decisions."""
