"""Processes that belong to no live run and to no service any more: finding them, and ending them with care."""
