"""An invented organisation and sixty days of its sessions: what a newcomer sees before there is real data.

people, vocabulary, workdays -> conversation (turns, tools, subagents) -> writer (lines of a file) -> world.
Everything follows from a seed, so the same day gives the same bytes.
"""
