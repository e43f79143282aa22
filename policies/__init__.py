"""Shipped content, kept as package data."""
