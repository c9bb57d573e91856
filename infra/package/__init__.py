"""The zip that the functions run from: built once for all, trimmed, precompiled, the same bytes for the same input."""
