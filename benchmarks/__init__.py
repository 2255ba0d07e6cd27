"""Measurements with a target: each script prints a table of figures that are ratios within one run."""
