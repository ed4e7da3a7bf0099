"""What netlab reports: what went wrong, where, why, and what to do."""


class LabError(Exception):
    """A machine or a lab that does not do what it should. Printed as one line."""

    exit_code = 1


class UsageError(LabError):
    """An argument that cannot be meant; the message quotes it."""

    exit_code = 2


class Interrupted(BaseException):
    """SIGINT, SIGTERM or SIGHUP came."""

    def __init__(self, signal_number):
        super().__init__(f"signal {signal_number}")
        self.signal_number = signal_number
        self.exit_code = 128 + signal_number
