"""How much of one plugin is served. Claude Code itself takes 256 MiB of a packed one."""

FILE_BYTES = 32 * 1024 * 1024
PLUGIN_BYTES = 256 * 1024 * 1024
PLUGIN_FILES = 20_000
# Of objects that wait to be written together.
PACK_BYTES = 16 * 1024 * 1024
# What git sends of what it wants and has.
BODY_BYTES = 4 * 1024 * 1024
