"""What runs, started and stopped: the supervisor of `tocsin up`, the embedded broker, the local inbox's server."""
