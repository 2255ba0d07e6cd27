"""How much of a repository is looked at. Real marketplaces stay far below; hostile ones end here."""

ENTRIES = 200_000
# Every look at a name in a folder counts, once for each plugin that looks.
VISITS = 2_000_000
PLUGINS = 5_000
COMPONENTS_OF_A_PLUGIN = 10_000
COMPONENTS = 100_000

PATH_LENGTH = 1024
DEPTH = 64
LINKS_FOLLOWED = 40

JSON_BYTES = 4 * 1024 * 1024
# Of all files together, each as often as a plugin reads it.
ALL_JSON_BYTES = 32 * 1024 * 1024
JSON_DEPTH = 64
# Only the head of a Markdown file or a script is read: front matter and a description stand there.
HEAD_BYTES = 128 * 1024
FRONT_MATTER_CHARACTERS = 32 * 1024
# Of all files together: reading YAML takes a second a million characters.
ALL_FRONT_MATTER_CHARACTERS = 16_000_000
YAML_DEPTH = 32
YAML_EVENTS = 4_000

# Identifiers are stored in columns of this width.
IDENTIFIER_CHARACTERS = 255
NAME_CHARACTERS = 255
DESCRIPTION_CHARACTERS = 4_000
LIST_ITEMS = 200
FINDINGS = 200
QUOTED_CHARACTERS = 80
