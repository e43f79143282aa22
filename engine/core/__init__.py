"""What every layer may know: facts, decisions, runs, errors, ports, clock.

Imports nothing of ours.
"""
