"""A Ray Serve application for models that one process doesn't hold (docs/cluster.md)."""
