"""Playbooks: durable runs of steps, verified and rolled back."""
