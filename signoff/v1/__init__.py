"""The generated contract: messages and stubs of protos/signoff/v1."""
