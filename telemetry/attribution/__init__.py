"""Whose is it: which item of a marketplace an identifier in a transcript belongs to.

lookup          the answer, for the transcripts that are processed
writing         where the marketplaces tell which identifiers are whose
lock            nobody asks between a change and what follows from it
reattribution   what a change concerns is processed again
item_names      what an item is called
"""
