"""The demo: from pixels to a deployed int8 action recogniser, through all six wheels."""
