"""What an operator wants to know at a glance: figures of the last days, and the state of the machine."""
