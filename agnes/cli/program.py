"""How the client starts itself."""

import sys

# -P: without the modules that lie in the folder it is started in, which may be a repository of somebody else.
COMMAND = (sys.executable, "-P", "-m", "agnes.cli")
