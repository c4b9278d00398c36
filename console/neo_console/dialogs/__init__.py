"""Dialogs: small questions over the main screen. Whoever asks gets the answer; a dialog changes nothing itself."""
