"""What can go wrong, as types that carry the offending value.

    MantelError
    ├── Invalid(field, value, allowed)      the caller's words are off
    ├── NotSignedIn()                       nobody is signed in
    ├── Forbidden(what)                     known, and not allowed
    ├── NotFound(kind, key)                 not there, or not for this caller: the answer is the same
    ├── Conflict(what)                      true a moment ago, not now
    ├── TooLarge(what, limit)               more than we take
    ├── TooMany(what, retry_after)          later, please
    ├── TooSlow(what, limit)                nothing came for too long
    ├── NoRoom(what, needed, free)          it does not fit on the disk
    ├── Unavailable(what, why)              a part that is away: the daemon, a library root, a TV
    └── BadSetting(name, value, allowed)    stops the start

No HTTP numbers here: `web/errors.py` has the one table from type to status.
"""


class MantelError(Exception):
    """Root of all errors that Mantel raises on purpose; `str()` is fit to be shown to a person."""


class Invalid(MantelError):
    """A field that the caller sent. `allowed` says in words what would do."""

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(f"{field}: {str(value)[:80]!r} will not do; {allowed}")
        self.field, self.value, self.allowed = field, value, allowed


class NotSignedIn(MantelError):
    def __init__(self, why: str = "Sign in first.") -> None:
        super().__init__(why)


class Forbidden(MantelError):
    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class NotFound(MantelError):
    def __init__(self, kind: str, key: object) -> None:
        super().__init__(f"No {kind} {str(key)[:80]!r} here.")
        self.kind, self.key = kind, key


class Conflict(MantelError):
    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class TooLarge(MantelError):
    """`limit` in bytes."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"{what} is larger than {limit} bytes.")
        self.what, self.limit = what, limit


class TooMany(MantelError):
    """`retry_after` in seconds."""

    def __init__(self, what: str, retry_after: float) -> None:
        super().__init__(f"Too many {what}; try again in {max(1, round(retry_after))} s.")
        self.what, self.retry_after = what, retry_after


class TooSlow(MantelError):
    """`limit` in seconds."""

    def __init__(self, what: str, limit: float) -> None:
        super().__init__(f"{what} stood still for {round(limit)} s.")
        self.what, self.limit = what, limit


class NoRoom(MantelError):
    """`needed` and `free` in bytes; `free` is what may be used, not what must stay free."""

    def __init__(self, what: str, needed: int, free: int) -> None:
        super().__init__(f"{what} needs {needed} bytes; the disk has room for {max(0, free)}.")
        self.what, self.needed, self.free = what, needed, max(0, free)


class Unavailable(MantelError):
    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what} is away: {why}")
        self.what, self.why = what, why


class BadSetting(MantelError):
    """Names the key, the value (never a secret's) and what is allowed, in one line."""

    def __init__(self, name: str, value: object, allowed: str) -> None:
        super().__init__(f"{name} = {value!r}: {allowed}")
        self.name, self.value, self.allowed = name, value, allowed
