"""The machine-wide heavy-maintenance lease: the record everybody reads, the kernel lock that is the truth.

The protocol is the design page ``lease-protocol.md``; its words are used here.
"""
