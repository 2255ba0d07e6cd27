"""The client `agnes`: it runs on the machines of people who work in Claude Code, and imports no Django.

main          the commands, and how errors become exit codes
commands/     one module a subject: parse, call, show
errors        what can go wrong, and the exit codes
config        which server, whose account, which token
accounts      whose account it is, as the server says
folders       where all of it is kept
api           requests to the server: timeouts, retries; answers are read by `answers`
receiving     a long answer into a file
handing_over  a token through the browser
claude        where Claude Code keeps what; transcripts, workspaces
push/         transcripts to the server: find, cut, filter, send, remember
redaction/    credentials out of what is sent
private/      sessions that never leave
datasets/     what was pulled to this machine, and queries of it
setup/        what `agnes init` writes into a workspace
market        the marketplace and one's stack
status, doctor    how it stands, and what is wrong
program       how the client starts itself
output        what commands print
"""

VERSION = "0.1.0"
