"""How telemetry uses the database where Django's model layer does not say it.

bulk           many rows at once
transactions   statements that all see the same rows
durability     how soon a commit is on disk, and what stays there of what was deleted
"""
