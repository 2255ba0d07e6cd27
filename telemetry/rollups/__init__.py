"""Roll-ups: figures by UTC day and window, made from what was extracted (docs/COUNTING.md).

base.py            how the rows of some days are replaced
rebuilding.py      all daily tables
tool_daily.py, plugin_daily.py, component_daily.py, daily.py, user_daily.py    one table each
plugin_window.py   the last 7 and 30 days, from user_daily
"""
