"""How much of an upload is taken. Ordinary plugins stay far below: the largest public ones have 5 MB."""

MB = 1024 * 1024

# Browsers, proxies and Claude Code itself manage these at once; more than that is data to host elsewhere.
UPLOAD_BYTES = 20 * MB
UNPACKED_BYTES = 60 * MB
FILE_BYTES = 5 * MB
# Text rarely shrinks to a tenth, never to a hundredth; deflate can reach 1:1032.
RATIO = 100
RATIO_FROM_BYTES = 1 * MB

FILES = 500
# Entries of the archive: with folders, and the twin that macOS adds to each file.
ENTRIES = 4 * FILES
DIRECTORY_BYTES = 1 * MB
DEPTH = 8
# Windows opens 260 characters, of which the client's folder takes some 80.
PATH_BYTES = 180

# Local headers in the archive may be followed by a data descriptor of at most so many bytes.
DESCRIPTOR_BYTES = 24

# The description that Claude Code shows to the model is cut at 1,536 characters.
FRONT_MATTER_BYTES = 16 * 1024
# Of all files together: reading it takes some seconds a million characters. Five hundred ordinary ones fit.
ALL_FRONT_MATTER_CHARACTERS = 256 * 1024
DESCRIPTION_CHARACTERS = 1536
# plugin.json, hooks, servers: parsed as a whole, at up to fifty times their size in memory.
CONFIGURATION_BYTES = 256 * 1024
ALL_CONFIGURATION_BYTES = 1 * MB

# Text is looked at in pieces of this size, so that memory does not grow with a file.
BLOCK_CHARACTERS = 256 * 1024
BLOCK_OVERLAP = 4 * 1024

# Looking through text takes up to a second a million characters. Nobody reads an upload with more.
TEXT_CHARACTERS = 4_000_000
PHRASES_BLOCK_CHARACTERS = 12 * 1024
# Ordinary text of that length takes one.
PHRASES_CPU_SECONDS = 3
# Of hooks' scripts and inline shell, all that runs by itself.
SHELL_CHARACTERS = 1_000_000

CITED_CHARACTERS = 120
CURE_CHARACTERS = 300
FINDINGS = 100
FINDINGS_OF_A_CHECK = 50

# The child process. The largest upload takes about a quarter of each (docs/GUARDRAILS.md).
CHILD_ADDRESS_SPACE = 192 * MB
CHILD_CPU_SECONDS = 15
CHILD_WALL_SECONDS = 30
CHILD_ANSWER_BYTES = 8 * MB
