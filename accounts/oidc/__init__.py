"""Signing in by a provider that speaks OpenID Connect, such as Google (docs/SIGN_IN.md).

allauth has the protocol: the way there and back, state, PKCE, the code's exchange. What is ours:

people.py           who may come in, as whom, and with which rights
id_tokens.py        is what came back really the provider's
provider.py         the provider of the settings, and what it says of itself
allauth_adapter.py  where allauth asks what is to happen
backend.py          sessions that began so
views.py            the two addresses
answering.py        what a browser that comes back gets
"""
