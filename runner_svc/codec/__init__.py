"""The border: protobuf outside, the core's values inside. Nothing here decides anything."""
