"""Microsoft Entra ID: people's sign-in on the web (MSAL) and the check of administrators' tokens (PyJWT)."""
