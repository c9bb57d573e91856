"""An identity provider shaped like Microsoft Entra ID, for development and tests: it lets anybody be anybody.

It issues tokens with Entra's claims and issuer, signed with keys of its own that only a gateway on this machine trusts.
"""
