"""The JSON API of telemetry: thin doors to what the other rooms do (docs/API.md).

router         all of them together
uploads        transcripts come in
private        a session is marked private
own_sessions   one's own sessions
datasets       data sets for one's own machine
sessions       a person's sessions, for admins
admin          what admins run the server with
maintenance    what removes stored data, or makes it anew
"""
