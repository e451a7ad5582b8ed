"""The embedded stack: an AWS emulator, a mailbox and the packaged app, all on loopback."""
