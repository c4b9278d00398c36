"""The one recorder of memory: samples into a ring, incidents with what coincided with them."""
