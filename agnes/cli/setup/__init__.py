"""What `agnes init` writes into a workspace, and takes out of it again.

hooks        the entries in Claude Code's settings, beside what is there
documents    such a file: read, changed, backed up, written
slash        the slash command /agnes-private
workspace    all of it, for one scope
marketplace  one's own marketplace in Claude Code
"""
