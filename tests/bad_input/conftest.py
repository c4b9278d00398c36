"""Let the table of bad inputs be imported from beside its test and from ``list_cases.py`` alike."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
