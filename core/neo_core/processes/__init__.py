"""What runs on this machine: identities, one pass into a forest, memory per tree."""
