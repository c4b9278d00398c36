"""The screens: the main one, and the pages that open over it."""
