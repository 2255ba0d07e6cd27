"""What ends the parsing, as exceptions. What only concerns one plugin or file is a finding of a report.

PluginError
├── MarketplaceInvalid    no marketplace that could be shown: no marketplace.json, broken JSON, no name
├── TreeTooLarge          more files, plugins or components than `limits` allow
├── FileUnreadable        a tree cannot give the content of a file; parsing notes it and goes on
└── DoesNotLoad           Claude Code refuses this plugin; parsing notes it and goes on
"""


class PluginError(Exception):
    """The message is one sentence for an operator, without the machine's paths."""


class MarketplaceInvalid(PluginError):
    pass


class TreeTooLarge(PluginError):
    pass


class FileUnreadable(PluginError):
    pass


class DoesNotLoad(PluginError):
    pass
