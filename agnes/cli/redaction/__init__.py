"""Credentials out of what leaves the machine.

views      a line as it reads once its escapes are undone, and where each character comes from
families   how credentials look
assigned   what somebody names a password and gives a value
keys       private keys, which go over many lines
wrapped    credentials that are broken by line ends
redacting  a line without them, still JSON

It sees how something looks, not what it is: a password that looks like a word stays. Private sessions are for
what must not leave.
"""
