"""The client `agnes`: it runs on the machines of people who work in Claude Code, and imports no Django.

main          the commands, and how errors become exit codes
commands/     one module a subject: parse, call, show
config        which server, whose account, which token
api           requests to the server: timeouts, retries, errors
claude        where Claude Code keeps what
push/         transcripts to the server: find, cut, filter, redact, send, remember
private/      sessions that never leave
datasets/     what was pulled to this machine, and queries of it
hooks         what `agnes init` writes into a workspace
"""

VERSION = "0.1.0"
