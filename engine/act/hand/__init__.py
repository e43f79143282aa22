"""The hands' own modules: standard library only, nothing else of Wakil is imported here.

They may run as root beside a server that does not, so they must be short enough to read whole.
"""
