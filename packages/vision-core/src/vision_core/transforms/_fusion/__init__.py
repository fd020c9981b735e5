"""How `Compose` runs its transforms in few passes: `_rules` says what is joined, `_run` how."""

from vision_core.transforms._fusion._example import explain_example
from vision_core.transforms._fusion._explain import Explanation, Pass, explain
from vision_core.transforms._fusion._rules import Fuse
from vision_core.transforms._fusion._run import DRAW, Run, entries_of, joins_something

__all__ = ["DRAW", "Explanation", "Fuse", "Pass", "Run", "entries_of", "explain", "explain_example", "joins_something"]
