"""What a plugin brings, one module a kind: each reads a `PluginFolder` and yields components."""
