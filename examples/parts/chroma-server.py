"""Chroma's own command line, ended with its parent. Takes the arguments of `chroma`."""

import sys

from chromadb.cli.cli import app
from end_with_parent import end_with_parent

end_with_parent()
sys.argv[0] = "chroma"
app()
