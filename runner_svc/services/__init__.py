"""The adapters between gRPC and the engine."""
